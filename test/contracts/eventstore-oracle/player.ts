import { setTimeout as pause } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import {
  ANY,
  BACKWARDS,
  END,
  FORWARDS,
  NO_STREAM,
  START,
  STREAM_EXISTS,
  binaryEvent,
  eventTypeFilter,
  jsonEvent,
  persistentSubscriptionToAllSettingsFromDefaults,
  persistentSubscriptionToStreamSettingsFromDefaults,
  streamNameFilter,
  type EventStoreDBClient,
  type Position,
} from '@eventstore/db-client';
import { patience_ms } from '../../support/until.js';
import type { Conversation, NamedEvent, Step } from './conversation.js';
import { PlainAnswers, type Read } from './plain.js';
import { Watched, type Watchable } from './watched.js';

/** Far beyond what other conversations write meanwhile. */
const PLENTY = 1_000_000;

/** What asks and changes nothing. */
const QUESTIONS: readonly string[] = ['read', 'psInfo'];

/** Plays a conversation to a server and gives its answers in the form in which the real server's were recorded. */
export async function play(client: EventStoreDBClient, conversation: Conversation): Promise<unknown[]> {
  const player = new Player(client);
  await player.begin();
  const answers: unknown[] = [];
  let hasPaused = false;
  for (const [at, step] of conversation.steps.entries()) {
    hasPaused = (hasPaused && QUESTIONS.includes(step.do)) || (step.do === 'pause' && step.ms > 0);
    const sent = conversation.answers[at];
    if (step.together) answers.push(await Promise.all(step.together.map((one, each) => player.answer(one, (sent as unknown[])[each]))));
    else answers.push(await (hasPaused ? player.settled(step, sent) : player.answer(step, sent)));
  }
  await player.end();
  return player.plain.ranked(answers);
}

class Player {
  readonly plain = new PlainAnswers();
  private readonly watched = new Map<string, Watched>();
  /** The last event of the log before this conversation. */
  private last: Position | undefined;

  constructor(private readonly client: EventStoreDBClient) {}

  async begin(): Promise<void> {
    for await (const read of this.client.readAll({ direction: BACKWARDS, fromPosition: END, maxCount: 1 })) this.last = (read.event ?? read.link)?.position;
  }

  async end(): Promise<void> {
    await Promise.all([...this.watched.values()].map((watched) => watched.close()));
  }

  /** The answer after a pause, in which the server does something by itself; that may take a slow machine longer than the pause. */
  async settled(step: Step, sent: unknown): Promise<unknown> {
    for (const end = Date.now() + patience_ms; ; await pause(50)) {
      const answer = await this.answer(step, sent);
      if (!QUESTIONS.includes(step.do) || isDeepStrictEqual(JSON.parse(JSON.stringify(answer)), sent) || Date.now() > end) return answer;
    }
  }

  /** Does what a step says. `sent` is what the real server answered: so much is waited for. */
  async answer(step: Step, sent: unknown): Promise<unknown> {
    const does = this.does[step.do];
    if (does === undefined) throw new Error(`a conversation asks for the unknown step ${step.do}`);
    try {
      return await does(step, sent as never);
    } catch (error) {
      if (error instanceof TypeError || error instanceof ReferenceError) throw error;
      return this.plain.failure(error as Error);
    }
  }

  private readonly does: Record<string, (step: Step, sent: never) => Promise<unknown>> = {
    append: async (step) => {
      const result = await this.client.appendToStream(this.plain.stream(step.stream), step.events.map((event) => this.eventData(event)), {
        expectedRevision: expectation(step.expected) as bigint,
        ...(step.quiet === true && { throwOnAppendFailure: false }),
      });
      return { success: result.success, next: Number(result.nextExpectedRevision), position: this.plain.position(result.position) };
    },
    read: (step) => {
      const options = { fromRevision: from(step.from) as bigint, direction: direction(step.dir) as typeof FORWARDS, maxCount: step.max ?? 1000, resolveLinkTos: step.links === true };
      return this.all(this.client.readStream(this.plain.stream(step.stream), options));
    },
    readAll: (step) => {
      const backwards = step.dir === 'b';
      const options = { direction: direction(step.dir) as typeof FORWARDS, fromPosition: (backwards ? END : (this.last ?? START)) as typeof START, maxCount: PLENTY, resolveLinkTos: step.links === true };
      return this.all(this.client.readAll(options), {
        keep: (read) => this.plain.isMine(read) && !(step.user === true && read.event?.type.startsWith('$')),
        max: step.max,
        isBeyond: (read) => backwards && (read.event?.position?.commit ?? 0n) < (this.last?.commit ?? 0n),
      });
    },
    readAllFrom: async (step) => {
      const { position } = await this.client.appendToStream(this.plain.stream(step.stream), step.events.map((event) => this.eventData(event)));
      const reading = this.client.readAll({ direction: direction(step.dir) as typeof FORWARDS, fromPosition: position ?? START, maxCount: PLENTY });
      return this.all(reading, { keep: (read) => this.plain.isMine(read), isBeyond: (read) => (read.event?.position?.commit ?? 0n) < (this.last?.commit ?? 0n) });
    },
    delete: async (step) => {
      const { position } = await this.client.deleteStream(this.plain.stream(step.stream), { expectedRevision: expectation(step.expected) as bigint });
      return { position: this.plain.position(position) };
    },
    tombstone: async (step) => {
      const { position } = await this.client.tombstoneStream(this.plain.stream(step.stream), { expectedRevision: expectation(step.expected) as bigint });
      return { position: this.plain.position(position) };
    },
    setMeta: async (step) => {
      const result = await this.client.setStreamMetadata(this.plain.stream(step.stream), step.meta, { expectedRevision: expectation(step.expected) as bigint });
      return { next: Number(result.nextExpectedRevision), position: this.plain.position(result.position) };
    },
    getMeta: async (step) => {
      const result = await this.client.getStreamMetadata(this.plain.stream(step.stream));
      // The client fills the revision with a position, so only its presence says anything.
      return { stream: this.plain.text(result.streamName), meta: this.plain.value(result.metadata), there: result.metastreamRevision !== undefined };
    },
    subscribe: (step) => {
      const resolveLinkTos = step.links === true;
      if (step.stream !== '$all') return this.watch(step, this.client.subscribeToStream(this.plain.stream(step.stream), { fromRevision: from(step.from) as bigint, resolveLinkTos }));
      const filter = this.filter(step);
      return this.watch(step, this.client.subscribeToAll({ fromPosition: step.from === 'end' ? END : START, resolveLinkTos, ...(filter && { filter }) }));
    },
    collect: (step, sent) => this.watchedAs(step).collect(step, this.plain, sent),
    unsubscribe: async (step) => {
      const watched = this.watchedAs(step);
      this.watched.delete(step.as);
      await watched.close();
      return 'done';
    },
    psCreate: async (step) => {
      const filter = this.filter(step);
      if (step.stream === '$all') await this.client.createPersistentSubscriptionToAll(this.plain.prefix + step.group, persistentSubscriptionToAllSettingsFromDefaults(settings(step)), filter && { filter });
      else await this.client.createPersistentSubscriptionToStream(this.plain.stream(step.stream), step.group, persistentSubscriptionToStreamSettingsFromDefaults(settings(step)));
      return 'done';
    },
    psUpdate: async (step) => {
      await this.client.updatePersistentSubscriptionToStream(this.plain.stream(step.stream), step.group, persistentSubscriptionToStreamSettingsFromDefaults(settings(step)));
      return 'done';
    },
    psDelete: async (step) => {
      if (step.stream === '$all') await this.client.deletePersistentSubscriptionToAll(this.plain.prefix + step.group);
      else await this.client.deletePersistentSubscriptionToStream(this.plain.stream(step.stream), step.group);
      return 'done';
    },
    psOpen: (step) => {
      const options = { bufferSize: step.buffer ?? 100 };
      if (step.stream === '$all') return this.watch(step, this.client.subscribeToPersistentSubscriptionToAll(this.plain.prefix + step.group, options));
      return this.watch(step, this.client.subscribeToPersistentSubscriptionToStream(this.plain.stream(step.stream), step.group, options));
    },
    ack: (step) => this.watchedAs(step).ack(step, this.plain),
    nack: (step) => this.watchedAs(step).nack(step, this.plain),
    psInfo: async (step) => {
      const info = await this.client.getPersistentSubscriptionToStreamInfo(this.plain.stream(step.stream), step.group);
      const { lastKnownEventRevision, parkedMessageCount, totalInFlightMessages } = info.stats;
      return {
        source: this.plain.text(info.eventSource),
        group: info.groupName,
        status: info.status,
        settings: this.plain.value(info.settings),
        parked: Number(parkedMessageCount),
        inFlight: totalInFlightMessages,
        lastKnown: lastKnownEventRevision === undefined ? null : Number(lastKnownEventRevision),
        connections: info.connections.length,
      };
    },
    psList: async (step) => (await this.client.listPersistentSubscriptionsToStream(this.plain.stream(step.stream))).map((info) => info.groupName).sort(),
    psReplay: async (step) => {
      await this.client.replayParkedMessagesToStream(this.plain.stream(step.stream), step.group, step.stopAt === undefined ? {} : { stopAt: step.stopAt });
      return 'done';
    },
    projection: async (step) => {
      const { name, status } = await this.client.getProjectionStatus(step.name);
      return { name, status };
    },
    pause: async (step) => {
      await pause(step.ms);
      return 'done';
    },
  };

  private async watch(step: Step, subscription: Watchable): Promise<unknown> {
    const watched = new Watched(subscription, step.stream === '$all' ? (read) => this.plain.isMine(read) : () => true);
    this.watched.set(step.as, watched);
    return watched.opened(this.plain);
  }

  private watchedAs(step: Step): Watched {
    const watched = this.watched.get(step.as);
    if (watched === undefined) throw new Error(`nothing is subscribed as ${step.as}`);
    return watched;
  }

  private async all(reading: AsyncIterable<unknown> & { cancel(): Promise<void> }, wanted: { keep?: (read: Read) => boolean; max?: number; isBeyond?: (read: Read) => boolean } = {}): Promise<unknown[]> {
    const out: unknown[] = [];
    for await (const item of reading) {
      const read = item as Read;
      if (wanted.isBeyond?.(read)) break;
      if (wanted.keep?.(read) ?? true) out.push(this.plain.resolved(read));
      if (out.length >= (wanted.max ?? Infinity)) break;
    }
    // Leaving the loop alone would keep the call open.
    await reading.cancel();
    return out;
  }

  private eventData(event: NamedEvent) {
    const base = { id: this.plain.idOf(event.name), type: event.type ?? 'T', ...(event.meta !== undefined && { metadata: event.meta as Record<string, string> }) };
    if (event.binary !== undefined) return binaryEvent({ ...base, data: Buffer.from(event.binary, 'base64') });
    const data = event.size ? { fill: 'x'.repeat(event.size) } : (event.data ?? { n: event.name });
    return jsonEvent({ ...base, data: data as { n: string } });
  }

  private filter({ filter }: Step) {
    if (filter === undefined) return undefined;
    const common = { checkpointInterval: filter.checkpointInterval ?? 10, maxSearchWindow: filter.window ?? 32 };
    const make = filter.on === 'type' ? eventTypeFilter : streamNameFilter;
    if (filter.prefixes === undefined) return make({ ...common, regex: (filter.regex ?? '').replaceAll('@', this.plain.prefix) });
    return make({ ...common, prefixes: filter.on === 'type' ? filter.prefixes : filter.prefixes.map((prefix) => this.plain.stream(prefix)) });
  }
}

function expectation(expected: Step['expected']) {
  switch (expected) {
    case undefined:
    case 'any':
      return ANY;
    case 'none':
      return NO_STREAM;
    case 'exists':
      return STREAM_EXISTS;
    default:
      return BigInt(expected);
  }
}

const from = (start: Step['from']) => (start === undefined || start === 'start' ? START : start === 'end' ? END : BigInt(start));
const direction = (dir: Step['dir']) => (dir === 'b' ? BACKWARDS : FORWARDS);

function settings({ settings: given = {} }: Step): Record<string, never> {
  const start = given['startFrom'];
  return { ...given, ...(typeof start === 'number' && { startFrom: BigInt(start) }) } as Record<string, never>;
}
