import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { recordedReader, type Block } from '../store/block.js';
import { isDamage } from '../store/data-file.js';
import type { EventStore } from '../store/event-store.js';
import { metastreamOf } from '../store/metadata.js';
import { firstReadable, isThere } from '../store/readable.js';
import { LINK_TYPE } from '../reading/links.js';
import { Wakeup } from '../reading/wakeup.js';
import { NO_BYTES, TOMBSTONE_REVISION, type ProposedEvent } from '../wire/recorded-event.js';
import { SYSTEM_PROJECTIONS, type Emission, type SystemProjection } from './definitions.js';

/** How one projection stands. */
export interface ProjectionState {
  readonly projection: SystemProjection;
  isEnabled: boolean;
  /** The next position of the log that it reads. */
  position: number;
  /** Up to here it has written its links once already; after a reset they are not written again. */
  written: number;
  /** Events that it looked at since the start. */
  processed: number;
}

/** Events read in one pass; what they cause is one commit. */
const PASS = 256;
/** At more appends a second than this, projections take turns with them. */
const BUSY_RATE = 2000;
const REST_MS = 12;
const AFTER_FAILURE_MS = 500;
/** Streams remembered by their numbers. */
const REMEMBERED = 10_000;
/** The revision of a tombstone, which no number holds exactly. */
const LAST_REVISION = '9223372036854775807';
const ACL = Buffer.from('{"$acl":{"$r":"$all","$mr":"$all"}}');
const TYPES: Record<Emission['type'] | '$metadata', Buffer> = { '$>': Buffer.from('$>'), '$@': Buffer.from('$@'), $metadata: Buffer.from('$metadata') };

/**
 * Runs the system projections: reads the log behind the writers and writes links. The links and
 * the checkpoint are one commit, so a crash neither loses nor doubles any.
 */
export class Projections {
  readonly states: readonly ProjectionState[];
  private readonly stopped = new AbortController();
  private readonly resets = new Set<ProjectionState>();
  /** For each stream of links, where it stood when a projection began to repeat itself. */
  private readonly linked = new Map<string, number>();
  /** Which streams, by their numbers, are streams of the system. */
  private readonly ofSystem = new Map<number, boolean>();
  private running: Promise<void> | undefined;

  constructor(private readonly store: EventStore) {
    this.states = SYSTEM_PROJECTIONS.map((projection) => ({ projection, processed: 0, ...load(store, projection.name) }));
  }

  start(): void {
    this.running = this.run();
  }

  async stop(): Promise<void> {
    this.stopped.abort();
    await this.running;
  }

  find(name: string): ProjectionState | undefined {
    return this.states.find((state) => state.projection.name === name);
  }

  /** Switches a projection on or off, for good. */
  async enable(state: ProjectionState, isEnabled: boolean): Promise<void> {
    state.isEnabled = isEnabled;
    await this.store.set(keyOf(state.projection.name), save(state));
    this.store.signal.raise(new Set());
  }

  /** Has a projection read the log again from its start and write the links that are missing: those of streams that were deleted since. */
  async reset(state: ProjectionState): Promise<void> {
    this.resets.add(state);
    if (this.running === undefined) this.beginAgain();
    else this.store.signal.raise(new Set());
    await this.store.settled();
  }

  /** Between two passes, when every link that was written is durable and can be found. */
  private beginAgain(): void {
    for (const state of this.resets) {
      state.written = Math.max(state.written, state.position);
      state.position = state.processed = 0;
      this.store.setWithNextCommit(keyOf(state.projection.name), save(state));
      this.linked.clear();
    }
    this.resets.clear();
  }

  private async run(): Promise<void> {
    using wakeup = new Wakeup((wake) => this.store.signal.watchLog(wake), this.stopped.signal);
    let appended = this.store.appendedEvents;
    let since = performance.now();
    while (!this.stopped.signal.aborted) {
      const emitted = await this.passed();
      if (emitted === undefined) {
        if (!(await wakeup.next())) return;
        continue;
      }
      const now = performance.now();
      const rate = ((this.store.appendedEvents - appended) / Math.max(1, now - since)) * 1000;
      if (rate > BUSY_RATE) await pause(REST_MS);
      [appended, since] = [this.store.appendedEvents, now];
    }
  }

  /** One pass, durable. After one that failed, as on a full disk, everything begins again from what is stored. */
  private async passed(): Promise<number | undefined> {
    try {
      const emitted = this.pass();
      if (emitted !== undefined && emitted > 0) await this.store.settled();
      return emitted;
    } catch (error) {
      console.error(JSON.stringify({ level: 'warn', msg: 'the system projections wait', error: (error as Error).message }));
      this.linked.clear();
      await pause(AFTER_FAILURE_MS, undefined, { signal: this.stopped.signal }).catch(() => undefined);
      for (const state of this.states) Object.assign(state, load(this.store, state.projection.name));
      return 0;
    }
  }

  /** Reads on where the slowest projections are. Returns how many events were written, undefined when there was nothing to read. */
  private pass(): number | undefined {
    this.beginAgain();
    const enabled = this.states.filter((state) => state.isEnabled);
    const position = Math.min(...enabled.map((state) => state.position));
    if (enabled.length === 0 || position >= this.store.log.end) return undefined;
    const behind = enabled.filter((state) => state.position === position);
    // None may read past the place where another one joins.
    const until = Math.min(position + PASS, ...enabled.filter((state) => state.position > position).map((state) => state.position));
    let next = position;
    let emitted = 0;
    while (next < until) {
      const block = this.blockAt(next);
      if (block === undefined) break;
      const to = Math.min(block.count, until - block.first);
      for (let row = Math.max(0, next - block.first); row < to; row++) emitted += this.project(behind, block, row);
      next = block.first + Math.max(to, 1);
    }
    if (next === position) return undefined;
    for (const state of behind) {
      if (next > state.written) state.written = 0;
      state.processed += next - state.position;
      state.position = next;
      if (emitted > 0) this.store.setWithNextCommit(keyOf(state.projection.name), save(state));
    }
    return emitted;
  }

  /** The block that holds a position, or the first one after it; a damaged one is passed over, as it is for readers of other streams. */
  private blockAt(position: number): Block | undefined {
    const { log } = this.store;
    for (let at: number | undefined = position; at !== undefined; at = log.keyAtOrAfter(at + 1)) {
      try {
        return log.atOrAfter(at);
      } catch (error) {
        if (!isDamage(error)) throw error;
      }
    }
    return undefined;
  }

  private project(states: readonly ProjectionState[], block: Block, row: number): number {
    if (!block.has(row) || !block.isIntact(row)) return 0;
    const type = block.type(row);
    const revision = block.revision(row);
    // Nobody asks for a later link in a stream of the system, of which there are many.
    if (type === LINK_TYPE && revision > 0 && this.isOfSystem(block, row)) return 0;
    const source = { stream: block.streamName(row), revision: revision === TOMBSTONE_REVISION ? LAST_REVISION : String(revision), type, data: () => recordedReader(block.frame(row)).data() };
    let emitted = 0;
    for (const { projection, written } of states) {
      const emission = projection.emit(source);
      if (emission === undefined) continue;
      const position = block.position(row);
      if (position < written && position <= this.linkedUpTo(emission.stream)) continue;
      this.write(emission, block, row);
      emitted++;
    }
    return emitted;
  }

  private isOfSystem(block: Block, row: number): boolean {
    const stream = block.stream(row);
    let isOfSystem = this.ofSystem.get(stream);
    if (isOfSystem === undefined) {
      if (this.ofSystem.size >= REMEMBERED) this.ofSystem.clear();
      this.ofSystem.set(stream, (isOfSystem = block.streamName(row).startsWith('$')));
    }
    return isOfSystem;
  }

  /** The position of the event that the last readable link of a stream was written for; -1 where there is none. Looked up once in a repetition. */
  private linkedUpTo(name: string): number {
    let position = this.linked.get(name);
    if (position === undefined) this.linked.set(name, (position = this.lastCause(name)));
    return position;
  }

  private lastCause(name: string): number {
    const stream = this.store.streams.get(name);
    const { last } = stream.committed;
    const found = isThere(stream.committed) && last >= firstReadable(stream.committed) ? this.store.find(stream, last) : undefined;
    return found === undefined ? -1 : causeOf(recordedReader(found.block.frame(found.row)).metadata());
  }

  private write(emission: Emission, block: Block, row: number): void {
    const stream = this.store.streams.get(emission.stream);
    if (stream.decided.tombstoned) return;
    if (stream.decided.last < 0) this.store.appendOwn(metastreamOf(emission.stream), { id: randomUUID(), type: TYPES.$metadata, isJson: true, metadata: NO_BYTES, data: ACL });
    this.store.appendOwn(emission.stream, linkEvent(emission, recordedReader(block.frame(row)).id(), block.position(row)));
  }
}

function linkEvent({ type, data, origin, isDeletion }: Emission, causedBy: string, position: number): ProposedEvent {
  const noted = { $v: '1:-1:1:4', $c: position, $p: position, ...(isDeletion && { $deleted: -1 }), ...(origin !== undefined && { $o: origin }), $causedBy: causedBy };
  return { id: randomUUID(), type: TYPES[type], isJson: false, metadata: Buffer.from(JSON.stringify(noted)), data: Buffer.from(data) };
}

/** The position of its cause, as a link's metadata tells it. */
function causeOf(metadata: Uint8Array): number {
  return (JSON.parse(Buffer.from(metadata).toString('utf8')) as { $p: number }).$p;
}

const keyOf = (name: string): string => `projection/${name}`;

type Saved = Pick<ProjectionState, 'isEnabled' | 'position' | 'written'>;

function load(store: EventStore, name: string): Saved {
  const stored = store.setting(keyOf(name));
  return { isEnabled: true, position: 0, written: 0, ...(stored && (JSON.parse(stored.toString('utf8')) as Partial<Saved>)) };
}

const save = ({ isEnabled, position, written }: ProjectionState): Buffer => Buffer.from(JSON.stringify({ isEnabled, position, written }));
