import { pathToFileURL } from 'node:url';
import { besideRecorded } from './eventstore/beside-recorded.js';
import { besideStub } from './eventstore/beside-stub.js';
import { tableOf, type Bench } from './kit.js';

/** The embedded event store through the unmodified client, which has a process of its own for each row. */
export const eventstoreBench: Bench = async (options) => [...(await besideStub(options)), ...(await besideRecorded(options))];

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  console.log(tableOf(await eventstoreBench({ scale: Number(process.env['TARL_BENCH_SCALE'] ?? 1), log: (line) => process.stderr.write(`${line}\n`) })));
  process.exit(0);
}
