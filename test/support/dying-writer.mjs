/**
 * A process that writes rows of which one in two is null to the group `p.g`, without an idempotency key, and kills itself
 * where it would tell what they broke: `node dying-writer.mjs <event store>`.
 */
import { Expectations } from '../../dist/src/commands/features/expectations.js';
import { FeatureGroups } from '../../dist/src/commands/features/groups.js';
import { RowLog } from '../../dist/src/commands/features/row-log.js';
import { rowsFromMaps } from '../../dist/src/commands/features/row-wise.js';
import { FeatureWriter } from '../../dist/src/commands/features/write.js';
import { Aggregates } from '../../dist/src/commands/kit/aggregates.js';
import { RememberingCommandLog } from '../../dist/src/commands/kit/idempotency.js';
import { connect } from '../../dist/src/platform/eventstore/index.js';

const eventStore = connect(process.argv[2]);
const aggregates = new Aggregates(eventStore);
const expectations = new Expectations(aggregates, async () => process.kill(process.pid, 'SIGKILL'));
const writer = new FeatureWriter(new FeatureGroups(aggregates, async () => undefined), new RowLog(eventStore), new RememberingCommandLog({ find: async () => undefined }), { keep: async () => undefined }, undefined, expectations);
const rows = rowsFromMaps(Array.from({ length: 20 }, (_, id) => ({ keys: new Map([['id', id]]), timeUs: 1e15, values: new Map([['x', id % 2 ? id : null]]) })));
await writer.write({ project: 'p', group: 'g', mode: 'BOTH', partial: false, rows }, { caller: { actor: 'key:writer', may: () => true } });
