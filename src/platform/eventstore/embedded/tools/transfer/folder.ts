import { setImmediate as nextTurn } from 'node:timers/promises';
import { EventStoreRefused, StreamDeleted, WrongExpectedRevision } from '../../../errors.js';
import { recordedReader, type Block } from '../../store/block.js';
import { EventStore, type WriteDone, type WriteOutcome } from '../../store/event-store.js';
import { TOMBSTONE_REVISION } from '../../wire/recorded-event.js';
import { openSnapshot } from '../snapshot.js';
import type { Source, Target } from './ends.js';
import { TOMBSTONE, type LoggedEvent } from './logged-event.js';

/** The log in a data folder as it is now, whether a node runs on it or not. */
export function folderSource(dir: string): Source {
  const snapshot = openSnapshot(dir);
  const { log } = snapshot;
  const lastPosition = { commit: BigInt(log.end - 1), prepare: BigInt(log.end - 1) };
  return {
    end: async () => lastPosition,
    async *events(after) {
      for (let block = log.atOrAfter(Number(after.commit) + 1); block !== undefined; block = log.atOrAfter(block.end)) {
        yield eventsOf(block, after.commit);
        await nextTurn();
      }
    },
    close: () => snapshot.close(),
  };
}

function eventsOf(block: Block, after: bigint): LoggedEvent[] {
  const events: LoggedEvent[] = [];
  for (let row = 0; row < block.count; row++) {
    const position = BigInt(block.position(row));
    if (position <= after || !block.has(row)) continue;
    const event = recordedReader(block.frame(row));
    const revision = block.revision(row);
    events.push({
      position: { commit: position, prepare: position },
      stream: event.streamName(),
      revision: revision === TOMBSTONE_REVISION ? TOMBSTONE : BigInt(revision),
      id: event.id(),
      type: event.system('type'),
      isJson: event.system('content-type') === 'application/json',
      data: event.data(),
      metadata: event.metadata(),
      createdTicks: BigInt(event.system('created')),
    });
  }
  return events;
}

/** A data folder on which no node runs. */
export async function folderTarget(dir: string): Promise<Target> {
  const store = await EventStore.open(dir);
  return {
    lastRevision: async (name) => BigInt(store.streams.get(name).decided.last),
    append: (name, after, events) =>
      written(name, after, (done) => {
        const expected = after === 'any' ? 'any' : after < 0n ? 'none' : Number(after);
        store.append(name, expected, events.map(({ type, ...event }) => ({ ...event, type: Buffer.from(type) })), done, createdMs(events[0]!));
      }),
    tombstone: async (name, event) => {
      if (!store.streams.get(name).decided.tombstoned) await written(name, 'any', (done) => store.tombstone(name, 'any', done, createdMs(event)));
    },
    keepsCreated: true,
    close: () => store.close(),
  };
}

const createdMs = ({ createdTicks }: LoggedEvent): number => Number(createdTicks / 10_000n);

function written(stream: string, after: bigint | 'any', write: (done: WriteDone) => void): Promise<bigint> {
  return new Promise((resolve, reject) => {
    write((outcome: WriteOutcome, failure) => {
      if (failure !== undefined) return reject(new EventStoreRefused(`Writing to the folder failed: ${failure.message}`, { cause: failure }));
      switch (outcome.kind) {
        case 'written':
          return resolve(BigInt(outcome.revision));
        case 'wrong-version':
          return reject(new WrongExpectedRevision(stream, after === -1n ? 'none' : after, outcome.actual < 0 ? 'none' : BigInt(outcome.actual)));
        case 'deleted':
          return reject(new StreamDeleted(stream));
      }
    });
  });
}
