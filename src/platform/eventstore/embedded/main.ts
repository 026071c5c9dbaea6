import { parseArgs } from 'node:util';
import { FolderProblem, PortInUse, logSlow, startEventStore, type RunningEventStore } from './index.js';

/** The process of an embedded event store: says on stdout when it serves, and ends when its parent does. */
async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { dir: { type: 'string' }, port: { type: 'string', default: '2113' }, host: { type: 'string', default: '127.0.0.1' }, projections: { type: 'string', default: 'all' } },
  });
  const store = await startEventStore({ dir: values.dir, port: Number(values.port), host: values.host, projections: values.projections !== 'none', onSlow: logSlow });
  stopWith(store);
  process.stdout.write(`${JSON.stringify({ ready: true, port: store.port })}\n`);
  process.send?.({ ready: true, port: store.port });
}

function stopWith(store: RunningEventStore): void {
  const stop = () => void store.close().then(() => process.exit(0));
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
  // A parent that was killed cannot tell its children; the channel to it closes.
  process.once('disconnect', stop);
}

try {
  await main();
} catch (error) {
  if (!(error instanceof FolderProblem || error instanceof PortInUse)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
}
