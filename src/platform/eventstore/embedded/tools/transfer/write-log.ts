import { StreamDeleted } from '../../../errors.js';
import { formatPosition, type Position } from '../../../position.js';
import type { Target } from './ends.js';
import { createdText, TOMBSTONE, type LoggedEvent } from './logged-event.js';

/** What became of a log that was written elsewhere. */
export interface Written {
  /** Events written, or found written by an import before this one. */
  readonly events: number;
  /** Events of the server's own streams, which the target makes for itself. */
  readonly skipped: number;
  /** Streams that lack their first events and so count from another revision than they did. */
  readonly renumbered: number;
  /** The last position that is wholly written. */
  readonly position: Position | undefined;
}

/** Writing stopped in the middle; it may go on behind `written.position`. */
export class WritingStopped extends Error {
  override readonly name = 'WritingStopped';

  constructor(readonly written: Written, cause: unknown) {
    const where = written.position === undefined ? 'Nothing was written' : `Everything up to position ${formatPosition(written.position)} is written`;
    super(`${(cause as Error).message}. ${where}.`, { cause });
  }
}

export interface WriteLogOptions {
  /** Puts the time of creation into the metadata, as `$created`, where the target cannot keep it. */
  readonly noteCreated: boolean;
  readonly progress?: (written: Written) => void;
}

const EVENTS_A_RUN = 500;
const BYTES_A_RUN = 512 * 1024;
const IN_FLIGHT = 64;
/** Streams whose last revision is remembered; of others it is asked. */
const REMEMBERED = 100_000;

/**
 * Writes events in the order in which they come. Events of one stream that follow each other are one append, each
 * behind the revision that the source shows, so that what an earlier attempt has written is known and not written twice.
 */
export async function writeLog(events: AsyncIterable<readonly LoggedEvent[]>, target: Target, options: WriteLogOptions): Promise<Written> {
  const writer = new LogWriter(target, options);
  try {
    for await (const some of events) for (const event of some) await writer.take(event);
    return await writer.finish();
  } catch (error) {
    throw new WritingStopped(await writer.abandon(), error);
  }
}

class LogWriter {
  private run: LoggedEvent[] = [];
  private runBytes = 0;
  private readonly inFlight: Promise<void>[] = [];
  private failure: Error | undefined;
  private readonly lastRevisions = new Map<string, bigint>();
  private readonly written = { events: 0, skipped: 0, renumbered: 0, position: undefined as Position | undefined };

  constructor(
    private readonly target: Target,
    private readonly options: WriteLogOptions,
  ) {}

  async take(event: LoggedEvent): Promise<void> {
    if (isServersOwn(event.stream)) {
      this.written.skipped++;
      return;
    }
    const bytes = event.data.length + event.metadata.length + event.stream.length;
    const belongs = this.run[0]?.stream === event.stream && this.run.at(-1)!.revision + 1n === event.revision;
    if (!belongs || this.run.length >= EVENTS_A_RUN || this.runBytes + bytes > BYTES_A_RUN || (this.target.keepsCreated && !sameTime(this.run[0]!, event))) await this.send();
    if (event.revision === TOMBSTONE) return this.tombstone(event);
    this.run.push(event);
    this.runBytes += bytes;
  }

  async finish(): Promise<Written> {
    await this.send();
    await this.settle();
    return this.written;
  }

  /** Waits for what is under way, so that it is known how far everything is written. */
  async abandon(): Promise<Written> {
    await Promise.allSettled(this.inFlight);
    return this.written;
  }

  private async send(): Promise<void> {
    const { run } = this;
    if (run.length === 0) return;
    this.run = [];
    this.runBytes = 0;
    const { stream } = run[0]!;
    const after = await this.revisionBefore(run[0]!);
    if (after !== 'any') this.remember(stream, after + BigInt(run.length));
    while (this.inFlight.length >= IN_FLIGHT) await this.inFlight[0];
    if (this.failure !== undefined) throw this.failure;
    const append = this.target.append(stream, after, this.options.noteCreated && !this.target.keepsCreated ? run.map(withCreated) : run);
    this.track(append, run.length, run.at(-1)!.position);
  }

  /** Counts appends in the order in which they were sent: behind the first that fails, nothing counts. */
  private track(append: Promise<unknown>, events: number, position: Position): void {
    const before = this.inFlight.at(-1) ?? Promise.resolve();
    const settled = Promise.allSettled([append, before]).then(([outcome]) => {
      this.inFlight.shift();
      // An attempt before this one has come as far as the stream's tombstone.
      if (outcome.status === 'rejected' && !(outcome.reason instanceof StreamDeleted)) this.failure ??= outcome.reason as Error;
      if (this.failure !== undefined) return;
      this.written.events += events;
      this.written.position = position;
      this.options.progress?.(this.written);
    });
    this.inFlight.push(settled);
  }

  private async settle(): Promise<void> {
    await Promise.all(this.inFlight);
    if (this.failure !== undefined) throw this.failure;
  }

  private async tombstone(event: LoggedEvent): Promise<void> {
    await this.settle();
    this.track(this.target.tombstone(event.stream, event), 1, event.position);
    await this.settle();
  }

  /** The revision in the target behind which an event goes. */
  private async revisionBefore({ stream, revision }: LoggedEvent): Promise<bigint | 'any'> {
    // A server writes metadata of its own when a stream is deleted or written again.
    if (stream.startsWith('$$')) return 'any';
    const known = this.lastRevisions.get(stream);
    if (known !== undefined) return known;
    if (revision === 0n) return -1n;
    await this.settle();
    const last = await this.target.lastRevision(stream);
    if (last >= revision - 1n) return revision - 1n;
    this.written.renumbered++;
    return last;
  }

  private remember(stream: string, last: bigint): void {
    this.lastRevisions.delete(stream);
    this.lastRevisions.set(stream, last);
    if (this.lastRevisions.size > REMEMBERED) this.lastRevisions.delete(this.lastRevisions.keys().next().value!);
  }
}

/** Streams that a server makes from others or for itself. The metadata of ordinary streams and `$settings` belong to the user. */
function isServersOwn(stream: string): boolean {
  const described = stream.startsWith('$$') ? stream.slice(2) : stream;
  return described.startsWith('$') && described !== '$settings' && described !== '$all';
}

/** One append has one time of creation. */
const sameTime = (one: LoggedEvent, other: LoggedEvent): boolean => one.createdTicks / 10_000n === other.createdTicks / 10_000n;

/** The event with its time of creation in the metadata, unless these are no JSON object or have one from an earlier move. */
function withCreated(event: LoggedEvent): LoggedEvent {
  if (event.stream.startsWith('$')) return event;
  const text = event.metadata.length === 0 ? '{}' : event.metadata.toString('utf8').trim();
  const keys = keysOf(text);
  if (keys === undefined || keys.includes('$created')) return event;
  // What is there stays as it was written, numbers of any length among it.
  const before = keys.length === 0 ? '{' : `${text.slice(0, -1)},`;
  return { ...event, metadata: Buffer.from(`${before}"$created":"${createdText(event.createdTicks)}"}`) };
}

/** The keys of a JSON object; undefined for any other text. */
function keysOf(text: string): string[] | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.keys(value) : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
