import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { Decider } from '../../domain/kit/index.js';
import { keyOfPageToken, otherQuestion, pageInput, pageTokenAfter } from '../kit/paging.js';
import { placeOf } from '../kit/place.js';
import { defineQuery } from '../kit/query.js';
import { bounded } from './bounded.js';
import { selectionInput, selectionOf } from './input.js';
import { inPlainJson, replay, type ReplayedEvent } from './replay.js';

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
      input: z.object({ ...selectionInput, state: z.boolean().default(false).describe('With the state of its stream after each event.'), ...pageInput }),
      output: z.object({ events: z.array(loggedEvent), nextPageToken: z.string() }).meta({ id: 'EventList' }),
      run: async ({ state, pageSize, pageToken, ...chosen }, { eventStore, pool, signal }) => {
        const asked = createHash('sha256').update(JSON.stringify(chosen)).digest('base64url').slice(0, 16);
        const [question = asked, last] = keyOfPageToken(pageToken, 2) ?? [];
        const selection = selectionOf(chosen);
        const from = last === undefined ? selection.from : placeOf(last);
        if (question !== asked || (last !== undefined && from === undefined)) throw otherQuestion();
        const events: ReplayedEvent[] = [];
        let bytes = 0;
        for await (const event of replay(eventStore, await bounded(pool, { ...selection, from }), { state, deciders: deciders(), signal })) {
          events.push(inPlainJson(event));
          bytes += JSON.stringify(event.data ?? event.dataBase64).length;
          if (events.length === pageSize || bytes > fullPage_bytes) return { events, nextPageToken: pageTokenAfter([asked, event.position]) };
        }
        return { events, nextPageToken: '' };
      },
    }),
  ] as const;
