import { createHash } from 'node:crypto';
import { z } from 'zod';
import { requirePermission } from '../../commands/kit/execute.js';
import type { Decider } from '../../domain/kit/index.js';
import type { Position } from '../../platform/eventstore/port.js';
import { keyOfPageToken, otherQuestion, pageInput, pageTokenAfter } from '../kit/paging.js';
import { placeOf } from '../kit/place.js';
import { defineQuery } from '../kit/query.js';
import { bounded } from './bounded.js';
import { selectionInput, selectionOf } from './input.js';
import { inPlainJson, replay, type ReplayedEvent } from './replay.js';
import type { ReplaySelection } from './selection.js';

/** A page ends early when its events hold so much: one event may have a megabyte. */
const fullPage_bytes = 4 * 1024 * 1024;

/** An event of the log as it is told on every wire. */
export const loggedEvent = z
  .object({
    position: z.string(),
    stream: z.string(),
    revision: z.string(),
    type: z.string(),
    id: z.string(),
    recordedAt: z.iso.datetime(),
    data: z.unknown().optional(),
    dataBase64: z.string().optional().describe('In place of data, where the event is not JSON.'),
    metadata: z.record(z.string(), z.unknown()),
    state: z.unknown().optional(),
    stateError: z.string().optional().describe('Why the state cannot be told.'),
  })
  .meta({ id: 'Event' });

/** The log page by page. A page with few matches reads on until it is full, or its caller goes away. */
export const auditQueries = (deciders: () => readonly Decider[]) =>
  [
    defineQuery({
      name: 'ListEvents',
      summary: 'Events of the log, oldest first: who did what, and what it led to',
      http: { method: 'GET', path: '/api/v1/events' },
      permission: 'audit.read',
      views: [],
      input: z.object({ ...selectionInput, state: z.boolean().default(false).describe('With the state of its stream after each event.'), effects: z.boolean().default(false).describe('With all that the chosen events led to later, whoever did it; each page then reads from the start of the selection.'), ...pageInput }),
      output: z.object({ events: z.array(loggedEvent), nextPageToken: z.string() }).meta({ id: 'EventList' }),
      run: async ({ state, pageSize, pageToken, ...chosen }, { eventStore, pool, caller, signal }) => {
        // What came of an event may lie in any project.
        if (chosen.effects) requirePermission({ permission: 'audit.read' }, undefined, { caller });
        const asked = createHash('sha256').update(JSON.stringify(chosen)).digest('base64url').slice(0, 16);
        const [question = asked, last] = keyOfPageToken(pageToken, 2) ?? [];
        const after = last === undefined ? undefined : placeOf(last);
        if (question !== asked || (last !== undefined && (after === undefined || after instanceof Date))) throw otherQuestion();
        const selection = pageOf({ ...selectionOf(chosen), effects: chosen.effects }, after as Position | undefined);
        const events: ReplayedEvent[] = [];
        let bytes = 0;
        for await (const event of replay(eventStore, await bounded(pool, selection), { state, deciders: deciders(), signal })) {
          events.push(inPlainJson(event));
          bytes += JSON.stringify(event.data ?? event.dataBase64).length;
          if (events.length === pageSize || bytes > fullPage_bytes) return { events, nextPageToken: pageTokenAfter([asked, event.position]) };
        }
        return { events, nextPageToken: '' };
      },
    }),
  ] as const;

/** The selection behind a place. What later events came of is only known to whoever has read the earlier ones too. */
function pageOf(selection: ReplaySelection, after: Position | undefined): ReplaySelection {
  if (after === undefined) return selection;
  return selection.effects ? { ...selection, after } : { ...selection, from: after };
}
