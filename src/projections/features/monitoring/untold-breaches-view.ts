import { z } from 'zod';
import { featureRowsWritten } from '../../../domain/features/chunk.js';
import { breachesIn, featureExpectationBreached, type ExpectationBreach } from '../../../domain/features/monitoring/breaches/breach.js';
import { decode } from '../../../domain/kit/index.js';
import type { StoredEvent } from '../../../platform/eventstore/port.js';
import { KeyedTable, type Row } from '../../engine/keyed-table.js';
import { streamKey } from '../../engine/parking/keys.js';
import type { View } from '../../kit/view.js';

const table = new KeyedTable('untold_breaches', z.object({ project: z.string(), group: z.string(), breach: z.string(), found: featureExpectationBreached.data, recordedAt: z.iso.datetime() }), ['project', 'group', 'breach']);

/** The breaches that stand beside the rows of writes and of which no event tells yet: mostly none, because the writer tells them right after its append. */
export const untoldBreachesView: View = {
  name: 'untold-breaches',
  version: 1,
  tables: [table.shape.name],
  shapes: [table.shape],
  eventTypes: [featureRowsWritten.type, featureExpectationBreached.type],
  // A breach and what tells it stand in different streams, and have the write in common.
  keyOf: (event) => {
    const [first] = event.type === featureExpectationBreached.type ? [toldIn(event)] : breachesIn(event.metadata);
    return first?.commandId ?? streamKey(event);
  },
  touches: (event, { key }) => (event.type === featureExpectationBreached.type ? [toldIn(event)] : breachesIn(event.metadata)).some(({ breach }) => breach === key['breach']),
  async project(events, tx) {
    const changes = new Changes();
    for (const event of events) changes.add(event);
    await table.remove(tx, [...changes.told.values()]);
    await table.save(tx, [...changes.untold.values()]);
  },
  startBuild: () => {
    const changes = new Changes();
    return {
      add: (event) => {
        changes.add(event);
        changes.told.clear();
      },
      get heldBytes() {
        return changes.untold.size * bytesPerRow;
      },
      write: (tx) => table.copy(tx, changes.untold),
    };
  },
};

const bytesPerRow = 2000;

/** What events leave: the breaches that are new, and those that are told. */
class Changes {
  readonly untold = new Map<string, Row>();
  readonly told = new Map<string, ExpectationBreach>();

  /** Takes the events in the order of the log: what is told was found before. */
  add(event: StoredEvent): void {
    if (event.type === featureExpectationBreached.type) {
      const breach = toldIn(event);
      this.untold.delete(table.keyText(breach));
      this.told.set(table.keyText(breach), breach);
      return;
    }
    for (const found of breachesIn(event.metadata)) {
      const { project, group, breach } = found;
      this.untold.set(table.keyText(found), { project, group, breach, found, recordedAt: event.recordedAt.toISOString() });
    }
  }
}

const toldIn = ({ data, metadata }: StoredEvent): ExpectationBreach => decode(featureExpectationBreached, Number(metadata['version'] ?? 1), data).data;
