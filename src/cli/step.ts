/** Does something and says so on the terminal when it takes longer than a second. */
export async function step<T>(title: string, work: () => Promise<T>): Promise<T> {
  const started = Date.now();
  let shown = false;
  const timer = setInterval(() => {
    const seconds = Math.round((Date.now() - started) / 1000);
    if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${title}… ${seconds} s`);
    else if (!shown || seconds % 10 === 0) process.stderr.write(`${title}… ${seconds} s\n`);
    shown = true;
  }, 1000);
  try {
    return await work();
  } finally {
    clearInterval(timer);
    if (shown && process.stderr.isTTY) process.stderr.write('\n');
  }
}
