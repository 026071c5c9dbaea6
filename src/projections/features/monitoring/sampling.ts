import type { ReadableBlock } from '../../../domain/features/chunk.js';
import type { FeatureSpec } from '../../../domain/features/definition.js';
import { RowSample } from '../../../domain/features/monitoring/row-sample.js';
import { textHash, type TextHash } from '../../../domain/features/monitoring/statistics/seeded.js';
import type { Windows } from '../../../domain/features/monitoring/window.js';
import type { FeatureGroupDefinition } from '../../../domain/features/state.js';
import { Refusal } from '../../../domain/kit/index.js';
import { isKnown, type KnownAt } from '../history/known.js';
import { pinned } from '../history/pinned.js';
import type { Partition, Replay } from '../history/replay.js';
import { concerns, countsFor } from '../history/tell.js';
import { Deletions } from './deletions.js';

/** Whose history is looked at, and what of it is known. */
export interface AskedHistory {
  readonly project: string;
  readonly group: string;
  /** The promoted version where none is named. */
  readonly version?: number;
  /** All features of the group where none are named. */
  readonly features: readonly string[];
  readonly known: KnownAt;
}

/** A sample of the rows of each window. */
export interface SampledHistory {
  readonly definition: FeatureGroupDefinition;
  readonly features: readonly FeatureSpec[];
  readonly known: Awaited<ReturnType<typeof pinned>>['known'];
  readonly samples: readonly RowSample[];
}

/** The most rows of a window that are looked at, and the most values of all windows that are held at once. */
export const mostSampledRows = 50_000;
const mostValues = 10_000_000;
const leastSampledRows = 1_000;

/**
 * Samples the history of a group within windows of event time, by one replay of its rows. What counts is what a training
 * set would see: history as it was known, an entity and time once as last written, and nothing of what is deleted.
 */
export async function sampleHistory(replay: Replay, asked: AskedHistory, windows: Windows, signal?: AbortSignal): Promise<SampledHistory> {
  const named = asked.version === undefined ? asked.group : `${asked.group}@${asked.version}`;
  const { known, end, definitions } = await pinned(replay.eventStore, { project: asked.project, features: [named], aliases: [], fullNames: false, known: asked.known }, signal);
  const definition = definitions.get(named) ?? refuseNoGroup(asked);
  const features = featuresOf(definition, asked.features);
  const limit = limitFor(features.length, windows.list.length);
  const names = features.map(({ name }) => name);
  for (let hidden = new Deletions(); ; ) {
    const samples = windows.list.map(() => new RowSample(names, limit));
    const found = new Deletions();
    await replay.run(
      partitionsOf(definition),
      end,
      (event, { partition }) => {
        if ('deleted' in event) {
          if (concerns(event, definition.version)) found.note(partition, event.deleted.key, event.revision);
        } else if (isKnown(known, event) && countsFor(event.block, { version: definition.version, onlineToo: false })) {
          addBlock(event.block, windows, samples, (key) => hidden.hides(partition, key, event.revision));
        }
      },
      signal,
    );
    // Rows that were deleted later are only known as such at the end, so they are left out of a second replay.
    if (found.size === hidden.size) return { definition, features, known, samples };
    hidden = found;
  }
}

/** Transformations share the groups' names, and have no history of their own. */
function refuseNoGroup({ project, group }: AskedHistory): never {
  throw new Refusal('NOT_FOUND', `Feature group ${group} does not exist in project ${project}; a transformation has that name`, { reason: 'FEATURE_GROUP_NOT_FOUND', metadata: { group } });
}

function addBlock(block: ReadableBlock, windows: Windows, samples: readonly RowSample[], hides: (key: string) => boolean): void {
  const hashes = new Array<TextHash | 'hidden' | undefined>(block.keys.length);
  for (let row = 0; row < block.rows; row++) {
    windows.each(block.timeUs[row]!, (window) => {
      const at = block.key[row]!;
      const hash = (hashes[at] ??= hides(block.keys[at]!) ? 'hidden' : textHash(block.keys[at]!));
      if (hash !== 'hidden') samples[window]!.add(block, row, hash);
    });
  }
}

function featuresOf({ group, features }: FeatureGroupDefinition, wanted: readonly string[]): readonly FeatureSpec[] {
  if (wanted.length === 0) return features;
  return wanted.map((name, at) => {
    const spec = features.find((feature) => feature.name === name);
    const description = `names ${name}, which ${group} does not have`;
    if (!spec) throw new Refusal('INVALID_ARGUMENT', `features[${at}] ${description}`, { reason: 'INVALID_INPUT', fields: [{ field: `features[${at}]`, description }] });
    return spec;
  });
}

/** How many rows of each window are kept, so that all together stay in bounds. */
function limitFor(features: number, windows: number): number {
  const rows = Math.min(mostSampledRows, Math.floor(mostValues / (Math.max(1, features) * windows)));
  if (rows >= leastSampledRows) return rows;
  throw new Refusal('RESOURCE_EXHAUSTED', `${windows} windows of ${features} features are too many at once; ask for fewer windows or fewer features`, { reason: 'TOO_MANY_WINDOWS' });
}

const partitionsOf = ({ project, group, partitions }: FeatureGroupDefinition): Partition[] => Array.from({ length: partitions }, (_, partition) => ({ project, group, partition }));
