import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { EventStoreDBClient } from '@eventstore/db-client';
import { startEventStore, type RunningEventStore } from '../../src/platform/eventstore/embedded/index.js';
import { recorded, type Conversation } from './eventstore-oracle/conversation.js';
import { play } from './eventstore-oracle/player.js';
import { patience_ms } from '../support/until.js';

/** Conversations are full of pauses, so many are played at the same time. */
const AT_ONCE = 16;
/** One of them reads what it has just written before that is a second old: it has the machine for itself. */
const IN_A_HURRY = /"maxAge":1}/;
/** They read the log from where it ended when they began, and so are quicker when they come first. */
const READS_THE_LOG = /log|random/;

const servers: [string, () => Promise<Pick<RunningEventStore, 'connectionString' | 'close'>>][] = [['the embedded node', () => startEventStore()]];
const real = process.env['TARL_TEST_EVENTSTORE_URL'];
if (real) servers.push(['the server at TARL_TEST_EVENTSTORE_URL', async () => ({ connectionString: real, close: async () => undefined })]);

describe.each(servers)('%s answers as EventStoreDB 24.6', (_, start) => {
  const conversations = [...recorded('generated'), ...recorded('handmade')];
  const answers = new Map<string, unknown[]>();
  let server: Awaited<ReturnType<typeof start>>;

  beforeAll(async () => {
    server = await start();
    const clients = Array.from({ length: AT_ONCE }, () => EventStoreDBClient.connectionString(patient(server.connectionString)));
    await playAll(clients[0]!, conversations.filter(({ name }) => IN_A_HURRY.test(name)), answers);
    const waiting = conversations.filter(({ name }) => !answers.has(name)).sort((a, b) => Number(READS_THE_LOG.test(b.name)) - Number(READS_THE_LOG.test(a.name)));
    await Promise.all(clients.map((client) => playAll(client, waiting, answers)));
    // Not earlier: a client that ends fails the pending appends of every client in the process.
    await Promise.all(clients.map((client) => client.dispose()));
  });

  afterAll(() => server.close());

  test.each(conversations.map((conversation) => [conversation.name.slice(0, 100), conversation] as const))('in the conversation "%s"', (_name, conversation) => {
    const got = answers.get(conversation.name)!;
    for (const [i, step] of conversation.steps.entries()) expect({ step, answer: got[i] }).toEqual({ step, answer: conversation.answers[i] });
  });
});

/** So many conversations may keep a slow machine from answering one of them within the ten seconds of the client. */
const patient = (address: string): string => `${address}${address.includes('?') ? '&' : '?'}defaultDeadline=${patience_ms}`;

async function playAll(client: EventStoreDBClient, waiting: Conversation[], answers: Map<string, unknown[]>): Promise<void> {
  for (let conversation = waiting.shift(); conversation !== undefined; conversation = waiting.shift()) answers.set(conversation.name, await play(client, conversation));
}
