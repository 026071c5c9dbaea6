/** A terminal, npm and a wrapper each pass on the same Ctrl-C; what comes within this time is that one. */
const sameCtrlC_ms = 1000;

/**
 * Resolves with the reason when the user, or whoever started this process, wants it to stop. A second Ctrl-C ends the
 * process at once; what it started ends with it.
 */
export function untilStopped(): Promise<string> {
  return new Promise((resolve) => {
    let first: number | undefined;
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(signal, () => {
        first ??= Date.now();
        if (Date.now() - first > sameCtrlC_ms) process.exit(130);
        resolve(signal);
      });
    }
    // A killed wrapper closes its channel; a killed npm leaves only a change of parent.
    process.once('disconnect', () => resolve('its starter ended'));
    if (process.env.npm_lifecycle_event) {
      const npm = process.ppid;
      setInterval(() => process.ppid !== npm && resolve('npm ended'), 500).unref();
    }
  });
}
