import { featureRowsPrefix } from '../../../domain/features/streams.js';
import type { FeatureGroupDefinition } from '../../../domain/features/state.js';
import type { EntityRows } from '../../../domain/features/transformations/windows.js';
import type { EventStore, Position } from '../../../platform/eventstore/port.js';
import { comparePositions } from '../../../platform/eventstore/port.js';
import { historyEvent } from '../history/events.js';
import { streamOf, type Partition } from '../history/replay.js';
import { scopeOf } from '../online/scope.js';
import { caughtUp, longestWait_ms, Progress } from './progress.js';
import { WindowTable } from './window-table.js';

/** The first revision of a stream from which on rows may have an event time after a moment; a read model may say so. */
export type RecentFrom = (stream: string, sinceUs: number) => Promise<bigint>;

/** What a read needs of a group: these features, for so long. */
export interface WantedWindows {
  readonly features: readonly string[];
  readonly durationUs: number;
  /** Whether everything written before the read must be in it. */
  readonly fresh: boolean;
  readonly signal?: AbortSignal;
}

/** Where reads find the rows in windows that end now. */
export interface WindowSource {
  rowsOf(definition: FeatureGroupDefinition, wanted: WantedWindows): Promise<(key: string) => EntityRows>;
}

interface Following {
  readonly table: WindowTable;
  readonly progress: Progress;
  readonly stop: AbortController;
  readonly loaded: Promise<void>;
  usedAt: number;
}

/** A group whose windows nobody read for so long is forgotten; the next read loads it again. */
const idle_ms = 3_600_000;

/**
 * The rows in the windows of groups, in this process's memory: loaded from the log at the first read, and from then on
 * followed as they are written. Nothing here is a fact: a restart, or another process, comes to the same rows.
 */
export class LiveWindows implements WindowSource {
  private readonly groups = new Map<string, Following>();

  constructor(
    private readonly eventStore: EventStore,
    private readonly recentFrom: RecentFrom,
    private readonly now: () => number = Date.now,
  ) {}

  async rowsOf(definition: FeatureGroupDefinition, wanted: WantedWindows): Promise<(key: string) => EntityRows> {
    const following = this.following(definition, wanted);
    following.usedAt = this.now();
    await following.loaded;
    if (wanted.fresh) await caughtUp(this.eventStore, partitionsOf(definition).map(streamOf), following.progress, wanted.signal);
    return (key) => following.table.rowsOf(key);
  }

  /** What is followed of the group, if it is enough; else it is loaded anew with all that was ever wanted of it. */
  private following(definition: FeatureGroupDefinition, { features, durationUs }: WantedWindows): Following {
    const scope = scopeOf(definition.project, definition.group, definition.version);
    const held = this.groups.get(scope);
    if (held && durationUs <= held.table.kept.durationUs && features.every((feature) => held.table.kept.features.includes(feature))) return held;
    const kept = { version: definition.version, features: [...new Set([...(held?.table.kept.features ?? []), ...features])], durationUs: Math.max(durationUs, held?.table.kept.durationUs ?? 0) };
    const following = this.begin(scope, definition, new WindowTable(kept, () => this.now() * 1000));
    if (held) void following.loaded.catch(() => undefined).then(() => letGo(held));
    this.groups.set(scope, following);
    this.forgetIdle();
    return following;
  }

  private begin(scope: string, definition: FeatureGroupDefinition, table: WindowTable): Following {
    const stop = new AbortController();
    const progress = new Progress();
    const end = this.load(definition, table, progress, stop.signal);
    const following = { table, progress, stop, loaded: end.then(() => undefined), usedAt: this.now() };
    end
      .then((position) => this.follow(definition, table, progress, position, stop.signal))
      .catch((error: unknown) => progress.fail(error))
      .finally(() => {
        if (this.groups.get(scope) === following) this.groups.delete(scope);
      });
    // Readers hear of a failure; where nobody reads, nobody needs to.
    following.loaded.catch(() => undefined);
    return following;
  }

  /** Reads what was written up to now, and says where that ends. */
  private async load(definition: FeatureGroupDefinition, table: WindowTable, progress: Progress, signal: AbortSignal): Promise<Position> {
    const end = await this.eventStore.endOfLog();
    const sinceUs = this.now() * 1000 - table.kept.durationUs;
    await Promise.all(
      partitionsOf(definition).map(async (partition) => {
        const stream = streamOf(partition);
        const from = await this.recentFrom(stream, sinceUs);
        // What stands before has left the windows already, so nobody need wait for it.
        progress.reach(stream, from - 1n);
        for await (const event of this.eventStore.readStream(stream, { from, signal })) {
          if (comparePositions(event.position, end) > 0) break;
          table.take(historyEvent(event));
          progress.reach(stream, event.revision);
        }
      }),
    );
    return end;
  }

  private async follow({ project, group }: FeatureGroupDefinition, table: WindowTable, progress: Progress, from: Position, signal: AbortSignal): Promise<void> {
    for await (const { events } of this.eventStore.subscribe({ from, filter: { streamPrefixes: [featureRowsPrefix(project, group)] }, signal })) {
      for (const event of events) {
        table.take(historyEvent(event));
        progress.reach(event.stream, event.revision);
      }
      progress.tell();
    }
  }

  private forgetIdle(): void {
    for (const [scope, { usedAt, stop }] of this.groups) {
      if (this.now() - usedAt < idle_ms) continue;
      this.groups.delete(scope);
      stop.abort();
    }
  }
}

/** Whoever waits for news of it is given the time. */
const letGo = ({ stop }: Following): void => void setTimeout(() => stop.abort(), 2 * longestWait_ms).unref();

const partitionsOf = ({ project, group, partitions }: FeatureGroupDefinition): Partition[] => Array.from({ length: partitions }, (_, partition) => ({ project, group, partition }));
