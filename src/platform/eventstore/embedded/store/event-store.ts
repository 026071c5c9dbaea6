import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { verifyApart } from '../tools/verify-apart.js';
import { NO_BYTES, TOMBSTONE_REVISION, type ProposedEvent } from '../wire/recorded-event.js';
import { recordedReader, type Block } from './block.js';
import { BlockLog } from './block-log.js';
import { checkCommit, type CommitCheck, type Known } from './commit-check.js';
import { CommitSignal } from './commit-signal.js';
import { CommitWriter } from './commit-writer.js';
import { damaged, isDamage, lookAtDataFile } from './data-file.js';
import { Environment, LAYOUT_VERSION } from './environment.js';
import type { Expectation } from './expectation.js';
import { GroupCommit, type Settled } from './group-commit.js';
import { Indexes } from './indexes.js';
import { recoverJournal, type Recovered } from './recovery.js';
import { MappedMemory } from './mapped-memory.js';
import { METASTREAM_METADATA, SOFT_DELETE_JSON, isMetastream, isSoftDeleted, metadataOf, metastreamOf, originalOf, undeletedJson, type StreamMetadata } from './metadata.js';
import { NameIndex } from './name-index.js';
import type { Pending } from './pending.js';
import { firstReadable, oldestReadable } from './readable.js';
import { rememberLatest } from './latest-ids.js';
import { RecentIds, type Placed } from './recent-ids.js';
import { settingKey } from './setting-key.js';
import { StreamIndex } from './stream-index.js';
import { Streams, type StreamState } from './streams.js';
import { NoRoom } from './transaction.js';

/** How an append, a delete or a tombstone ended. */
export type WriteOutcome =
  /** `revision` is the stream's last (-1: it has none); without a position the event is no longer readable. */
  | { readonly kind: 'written'; readonly revision: number; readonly position: number | undefined }
  | { readonly kind: 'wrong-version'; readonly actual: number }
  | { readonly kind: 'deleted' };

/** Called when the outcome is durable, or with the failure that made it void. */
export type WriteDone = (outcome: WriteOutcome, failure?: Error) => void;

const FIRST_POSITION = 1;
const TYPE_METADATA = Buffer.from('$metadata');
const TYPE_TOMBSTONE = Buffer.from('$streamDeleted');

/** The event store itself, without a wire: streams of events in one log, durable when acknowledged. */
export class EventStore {
  readonly log: BlockLog;
  readonly index: StreamIndex;
  readonly streams: Streams;
  /** Wakes readers that wait for new events. */
  readonly signal = new CommitSignal();
  private readonly recent = new RecentIds();
  private readonly commits: GroupCommit;
  /** Events that clients have appended since the start. */
  appendedEvents = 0;
  private readonly known: Known;
  private readonly writer: CommitWriter;
  private readonly pending: Pending;

  private constructor(
    readonly environment: Environment,
    { pending, journal }: Recovered,
    private readonly disposeFolder: () => void,
  ) {
    this.pending = pending;
    const mapped = new MappedMemory(() => this.commits?.remapSoon());
    this.log = new BlockLog(environment, pending, FIRST_POSITION, mapped);
    this.index = new StreamIndex(environment);
    const names = new NameIndex(environment);
    this.streams = new Streams(names, this.index, this.log);
    const indexes = new Indexes(this.index, names, environment);
    indexes.recover(this.log);
    this.writer = new CommitWriter(environment, this.log, indexes, pending, mapped, journal);
    this.known = {
      byId: (id) => this.recent.get(id),
      atRevision: (stream, revision, id) => this.placedAt(stream, revision, id),
      hasMetadata: (stream) => this.streams.get(metastreamOf(stream.name)).decided.last >= 0,
      isOfTombstoned: (stream) => isMetastream(stream.name) && this.streams.get(originalOf(stream.name)).decided.tombstoned,
    };
    this.commits = new GroupCommit(this.writer, this.log, indexes, {
      committed: (streams) => this.signal.raise(streams),
      failed: () => {
        this.streams.reset();
        rememberLatest(this.log, this.recent);
      },
    });
    rememberLatest(this.log, this.recent);
  }

  /** Opens the store in a folder; without one, in a temporary folder that goes when the store is closed. */
  static async open(dir: string | undefined): Promise<EventStore> {
    const folder = dir ?? mkdtempSync(join(tmpdir(), 'tarl-eventstore-'));
    if (lookAtDataFile(folder, LAYOUT_VERSION) === 'short') await requireWhole(folder);
    let environment: Environment | undefined;
    let recovered: Recovered | undefined;
    try {
      environment = Environment.open(folder, dir !== undefined);
      recovered = recoverJournal(environment);
      return new EventStore(environment, recovered, () => {
        if (dir === undefined) rmSync(folder, { recursive: true, force: true });
      });
    } catch (error) {
      recovered?.journal?.close();
      await environment?.close();
      throw isDamage(error) ? damaged(folder, error.message) : error;
    }
  }

  /** Appends events to a stream, all or none, as created at `now`. */
  append(name: string, expected: Expectation, events: readonly ProposedEvent[], done: WriteDone, now = Date.now()): void {
    const stream = this.streams.get(name);
    const check = checkCommit(
      stream,
      expected,
      events.map((event) => event.id),
      this.known,
    );
    if (check.decision !== 'write') return this.refuse(stream, check, done);
    // A metadata stream may get one event more than asked for, which is not the writer's.
    const revision = stream.decided.last + events.length;
    const position = this.writeAll(stream, events, now);
    this.settle(done, { kind: 'written', revision, position });
  }

  /** Deletes a stream softly: its events are no longer read, and it can be written again. */
  delete(name: string, expected: Expectation, done: WriteDone): void {
    const stream = this.streams.get(name);
    const check = checkCommit(stream, expected, [randomUUID()], this.known);
    if (check.decision !== 'write') return this.refuse(stream, check, done);
    if (stream.decided.last < 0 && !this.known.hasMetadata(stream)) return this.refuse(stream, { decision: 'wrong-version' }, done);
    const position = this.writeMetadata(stream, SOFT_DELETE_JSON, Date.now());
    this.settle(done, { kind: 'written', revision: stream.decided.last, position });
  }

  /** Deletes a stream for good: it can never be written again. */
  tombstone(name: string, expected: Expectation, done: WriteDone, now = Date.now()): void {
    const stream = this.streams.get(name);
    const check = checkCommit(stream, expected, [randomUUID()], this.known);
    if (check.decision !== 'write') return this.refuse(stream, check, done);
    const event: ProposedEvent = { id: randomUUID(), type: TYPE_TOMBSTONE, isJson: false, metadata: NO_BYTES, data: NO_BYTES };
    const position = this.commits.add(stream, event, TOMBSTONE_REVISION, now);
    stream.decided = { ...stream.decided, tombstoned: true };
    this.settle(done, { kind: 'written', revision: TOMBSTONE_REVISION, position });
  }

  /** Appends an event of the server's own, whatever the stream's state. It becomes durable with the next commit. */
  appendOwn(name: string, event: ProposedEvent): number {
    return this.writeAll(this.streams.get(name), [event], Date.now());
  }

  /** Stores a small value with the next commit, together with what is written in this turn. */
  setWithNextCommit(name: string, value: Buffer | undefined): void {
    this.commits.set(settingKey(name), value);
  }

  /** Whether the stream was tombstoned, as far as is durable. A metadata stream goes with the stream it describes. */
  isGone(stream: StreamState): boolean {
    return stream.committed.tombstoned || (isMetastream(stream.name) && this.streams.get(originalOf(stream.name)).committed.tombstoned);
  }

  /** The block and row of a stream's revision. */
  find(stream: StreamState, revision: number): { block: Block; row: number } | undefined {
    if (stream.number === 0) return undefined;
    const run = this.index.backward(stream.number, revision, 1)[0];
    if (run === undefined || revision >= run.firstRevision + run.count) return undefined;
    const block = this.log.load(run.block);
    if (block === undefined) return undefined;
    for (let row = 0; row < block.count; row++) {
      if (block.stream(row) === stream.number && block.revision(row) === revision && block.has(row)) return { block, row };
    }
    return undefined;
  }

  setting(name: string): Buffer | undefined {
    const key = settingKey(name);
    const pending = this.pending.setting(key);
    return pending === undefined ? this.environment.settings.get(key) : pending.value;
  }

  /** The small values whose names begin so, by name. */
  settings(prefix: string): Buffer[] {
    const values = new Map<string, Buffer | undefined>();
    for (const { key, value } of this.environment.settings.getRange({ start: prefix, end: behind(prefix) })) values.set(key, value);
    for (const { name, value } of this.pending.settingsLike(prefix)) values.set(name, value);
    return [...values.keys()].sort().map((name) => values.get(name)).filter((value) => value !== undefined);
  }

  /** Stores a small value by name; resolves when it is durable. */
  async set(name: string, value: Buffer | undefined): Promise<void> {
    this.setWithNextCommit(name, value);
    await this.settled();
  }

  /** Does more work in the transaction of the next commit; resolves when that is durable. */
  async withNextCommit(work: () => void): Promise<void> {
    this.commits.also(work);
    await this.settled();
  }

  /** Stores what of the indexes is in memory only. */
  async flushIndexes(): Promise<void> {
    this.commits.storeIndexes();
    await this.settled();
  }

  /** Resolves when everything decided so far is durable. */
  settled(): Promise<void> {
    return new Promise((resolve, reject) => this.commits.whenSettled((failure) => (failure ? reject(failure) : resolve())));
  }

  async close(): Promise<void> {
    await this.commits.drained();
    try {
      await this.writer.close();
    } catch (error) {
      // On a full disk the next start finds in the journal and the log what is not stored.
      if (!(error instanceof NoRoom)) throw error;
    } finally {
      await this.environment.close();
      this.disposeFolder();
    }
  }

  private writeAll(stream: StreamState, events: readonly ProposedEvent[], now: number): number {
    const { last, metadata } = stream.decided;
    const original = isMetastream(stream.name) ? this.streams.get(originalOf(stream.name)) : undefined;
    const undeletesOriginal = original !== undefined && isSoftDeleted(original.decided.metadata);
    const position = events.length === 0 ? this.commits.addEmpty(now) : this.write(stream, events, now);
    const lastEvent = events.at(-1);
    if (original !== undefined && lastEvent !== undefined) this.setMetadata(original, lastEvent);
    // Even an append without events makes the stream one that is there, though empty.
    if (isSoftDeleted(metadata)) this.undelete(stream, metadata, last + 1, now);
    if (undeletesOriginal) this.undelete(original, original.decided.metadata, original.decided.last + 1, now);
    return position;
  }

  private undelete(stream: StreamState, { json }: StreamMetadata, firstRevision: number, now: number): void {
    const undeleted = undeletedJson(json, firstRevision);
    if (undeleted !== undefined) this.writeMetadata(stream, undeleted, now);
  }

  private write(stream: StreamState, events: readonly ProposedEvent[], now: number): number {
    let { last } = stream.decided;
    let position = 0;
    for (const event of events) {
      position = this.commits.add(stream, event, ++last, now);
      this.recent.add(event.id, { stream: stream.number, revision: last, position });
    }
    stream.decided = { ...stream.decided, last };
    return position;
  }

  private writeMetadata(stream: StreamState, json: Buffer, now: number): number {
    const event: ProposedEvent = { id: randomUUID(), type: TYPE_METADATA, isJson: true, metadata: NO_BYTES, data: json };
    const position = this.write(this.streams.get(metastreamOf(stream.name)), [event], now);
    this.setMetadata(stream, event);
    return position;
  }

  private setMetadata(stream: StreamState, { data, isJson }: ProposedEvent): void {
    const metadata = isMetastream(stream.name) ? METASTREAM_METADATA : metadataOf(Buffer.from(data), isJson);
    stream.decided = { ...stream.decided, metadata };
    this.commits.touch(stream);
  }

  private refuse(stream: StreamState, check: CommitCheck, done: WriteDone): void {
    switch (check.decision) {
      case 'repeated':
        return this.settle(done, { kind: 'written', revision: check.last.revision, position: this.readablePosition(stream, check.last) });
      case 'deleted':
        return this.settle(done, { kind: 'deleted' });
      default:
        return this.settle(done, { kind: 'wrong-version', actual: stream.decided.last });
    }
  }

  /** Even a refusal waits for the commits that it was decided on: they may still fail. */
  private settle(done: WriteDone, outcome: WriteOutcome): void {
    const settled: Settled = (failure) => done(outcome, failure);
    this.commits.whenSettled(settled);
  }

  private readablePosition(stream: StreamState, placed: Placed): number | undefined {
    if (placed.revision < firstReadable(stream.decided)) return undefined;
    const { maxAgeMs } = stream.decided.metadata;
    if (maxAgeMs === undefined) return placed.position;
    const found = this.find(stream, placed.revision);
    return found !== undefined && found.block.createdMs(found.row) < oldestReadable(stream.decided, Date.now()) ? undefined : placed.position;
  }

  private placedAt(stream: StreamState, revision: number, id: string): Placed | undefined {
    const recent = this.recent.get(id);
    if (recent !== undefined && recent.stream === stream.number && recent.revision === revision) return recent;
    const found = this.find(stream, revision);
    if (found === undefined || recordedReader(found.block.frame(found.row)).id() !== id) return undefined;
    return { stream: stream.number, revision, position: found.block.position(found.row) };
  }
}

/** The first string behind all those that begin so, in the order of their bytes, whatever follows. */
const behind = (prefix: string): string => prefix.slice(0, -1) + String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1);

/** Walks a store that may have been cut off, in a process that may end over it. */
async function requireWhole(folder: string): Promise<void> {
  const { problems } = await verifyApart(folder, () => undefined);
  if (problems.length > 0) throw damaged(folder, problems[0]!);
}
