/**
 * Shows that something long is going on: nothing in the first second, then one line that is rewritten on a terminal, and
 * a line every ten seconds where the output goes to a file.
 */
export async function withProgress(title, work) {
  const started = Date.now();
  const terminal = process.stderr.isTTY;
  let detail = '';
  let shownAt;
  const show = (state, end) => {
    const seconds = Math.round((Date.now() - started) / 1000);
    const line = `${title}${state} ${seconds} s${detail && `, ${detail}`}`;
    process.stderr.write(terminal ? `\r\x1b[K${line}${end}` : `${line}\n`);
    shownAt = Date.now();
  };
  const timer = setInterval(() => {
    if (terminal || shownAt === undefined || Date.now() - shownAt >= 10_000) show('…', '');
  }, 1000);
  let outcome = ': failed after';
  try {
    const result = await work((text) => { detail = text; });
    outcome = ': done in';
    return result;
  } finally {
    clearInterval(timer);
    if (shownAt !== undefined) show(outcome, '\n');
  }
}
