import { requireActivePipeline } from '../../domain/features/pipelines/decisions.js';
import { pipeline as pipelineDecider } from '../../domain/features/pipelines/state.js';
import type { FeatureGroupDefinition } from '../../domain/features/state.js';
import { pipelineStream } from '../../domain/features/streams.js';
import { formatTimeUs, parseTimeUs } from '../../domain/features/times.js';
import { earliestEventTimeUs, latestEventTimeUs } from '../../domain/features/values.js';
import { Refusal } from '../../domain/kit/index.js';
import { formatPosition, type EventStore } from '../../platform/eventstore/port.js';
import type { JobRun } from '../../platform/jobs/define.js';
import { gatherTimes, slicesOf, type TimeRange } from '../../projections/features/history/entity-times.js';
import { Replay } from '../../projections/features/history/replay.js';
import { joinHistory } from '../../projections/features/history/training-set.js';
import type { FeatureWriter } from '../features/write.js';
import type { PipelineOrder } from '../jobs/run-pipeline.js';
import type { Aggregates } from '../kit/aggregates.js';
import { preparePipeline } from './prepare.js';
import { advancePipelineRunCommand, finishPipelineRunCommand, startPipelineRunCommand } from './runs.js';
import { unwrittenRows, type Filling } from './unwritten.js';

/** What pipelines are applied with. */
export interface PipelineParts {
  readonly eventStore: EventStore;
  readonly aggregates: Aggregates;
  readonly writer: Pick<FeatureWriter, 'write'>;
}

const cacheBytes = 64 * 1024 * 1024;
const rowsAtOnce = 5_000;

/**
 * Computes the steps for every row of the source within the range, as of its time, and writes to the target what it does
 * not hold yet. It looks for that itself, so that a run which was broken off, or is asked for again, writes nothing twice.
 */
export async function applyPipeline(parts: PipelineParts, order: PipelineOrder, run: JobRun): Promise<void> {
  const { eventStore } = parts;
  const { project } = order;
  const of = { project, pipeline: order.pipeline, run: order.run };
  const { state } = await parts.aggregates.load(pipelineDecider, pipelineStream(project, order.pipeline));
  const flow = requireActivePipeline(of, state);
  const prepared = await preparePipeline(eventStore, project, flow, run.signal);
  const { source, target, known, end, plan, columns } = prepared;
  const replay = new Replay(eventStore, { cacheBytes });
  const slices = slicesOf([source]);
  await run.issue(startPipelineRunCommand, { ...of, version: flow.version, source: `${source.group}@${source.version}`, target: `${target.group}@${target.version}`, steps: prepared.steps, slices: slices.length, position: formatPosition(known.position) });
  let rowsRead = 0;
  let rowsWritten = 0;
  for (const [slice, partitions] of slices.entries()) {
    const times = await gatherTimes(replay, { definitions: [source], partitions, range: rangeOf(order), known }, run.signal);
    if (times.size > 0) {
      const table = times.table({ keys: source.entities.map((key) => ({ ...key, column: key.name })) });
      const { columns: made } = await joinHistory(replay, table, plan, { known, end }, run.signal);
      const filling: Filling = { target, table, features: columns.map(({ feature, place }) => ({ name: feature, column: made[table.columns.size + place]! })) };
      rowsRead += table.rows;
      rowsWritten += await write(parts, replay, filling, run.signal);
    }
    await run.issue(advancePipelineRunCommand, { ...of, slicesDone: slice + 1, rowsRead, rowsWritten });
  }
  await run.issue(finishPipelineRunCommand, { ...of, rowsRead, rowsWritten });
}

/** How many rows were written. */
async function write({ eventStore, writer }: PipelineParts, replay: Replay, filling: Filling, signal: AbortSignal): Promise<number> {
  const { target, table, features } = filling;
  const rows = await unwrittenRows(replay, filling, await eventStore.endOfLog(), signal);
  for (let from = 0; from < rows.length; from += rowsAtOnce) {
    signal.throwIfAborted();
    const batch = rows.slice(from, from + rowsAtOnce);
    const given = rowsOf(batch, table, target, features);
    await writer
      .write({ project: target.project, group: target.group, version: target.version, mode: 'BOTH', partial: false, rows: given }, { caller: { actor: 'job:run-pipeline', may: () => true }, signal })
      .catch((error: unknown) => {
        throw sayingWhichRow(error, target, given);
      });
  }
  return rows.length;
}

/** Nobody sees the writes of a run, so a row is told by its entity and time and not by its number. */
function sayingWhichRow(error: unknown, { group }: FeatureGroupDefinition, { keys, timeUs }: ReturnType<typeof rowsOf>): unknown {
  const [fault] = error instanceof Refusal && error.details.reason === 'ROWS_REJECTED' ? (error.details.fields ?? []) : [];
  const [, row, field] = /^rows\[(\d+)\]\.(.*)$/.exec(fault?.field ?? '') ?? [];
  if (!(error instanceof Refusal) || row === undefined) return error;
  const entity = [...keys].map(([name, values]) => `${name} ${String(values[Number(row)])}`).join(', ');
  return new Refusal(error.code, `${group} does not take the row of ${entity} at ${formatTimeUs(timeUs[Number(row)]!)}: ${field} ${fault!.description}`, error.details);
}

const rowsOf = (batch: readonly number[], table: Filling['table'], { entities }: FeatureGroupDefinition, features: Filling['features']) => ({
  rows: batch.length,
  keys: new Map(entities.map(({ name }) => [name, batch.map((row) => table.columns.get(name)![row])])),
  timeUs: Float64Array.from(batch, (row) => table.timeUs[row]!),
  features: new Map(features.map(({ name, column }) => [name, batch.map((row) => column.at(row))])),
});

const rangeOf = ({ start, end }: PipelineOrder): TimeRange => ({ startUs: start === undefined ? earliestEventTimeUs : parseTimeUs(start), endUs: end === undefined ? latestEventTimeUs : parseTimeUs(end) });
