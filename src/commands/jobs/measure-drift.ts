import { z } from 'zod';
import { driftCheck } from '../../domain/features/monitoring/checks/state.js';
import { driftCheckStream } from '../../domain/features/streams.js';
import { isPassing, Refusal, resourceName } from '../../domain/kit/index.js';
import { defineJob, type JobRun } from '../../platform/jobs/define.js';
import type { Contents } from '../../platform/contents.js';
import { formatPosition, type EventStore, type Position } from '../../platform/eventstore/port.js';
import { sharedReplay } from '../../projections/features/history/shared-replay.js';
import { measureCheck, type MeasuredCheck } from '../../projections/features/monitoring/measure-check.js';
import { completeDriftCheckCommand, failDriftCheckCommand, recordExpectationBreachCommand, recordFeatureDriftsCommand } from '../drift-checks.js';
import type { Aggregates } from '../kit/aggregates.js';
import { measureDriftJob } from '../reactions/measure-requested-drift.js';

/** So many features stand in one append, which stays far below a mebibyte. */
const featuresAtOnce = 50;

const input = z.strictObject({ project: resourceName, group: resourceName, check: resourceName });
type Named = z.output<typeof input>;

/** Makes the drift checks that are asked for. What it finds depends on the log up to the request alone, so a second try finds the same. */
export const measureDrift = ({ eventStore, aggregates, trainingSets }: { eventStore: EventStore; aggregates: Aggregates; trainingSets: Contents }) =>
  defineJob({
    name: measureDriftJob,
    summary: 'Makes a drift check that was asked for, by a schedule or a caller',
    input,
    retry: { attempts: 4, backoff: { type: 'exponential', delayMs: 5_000 } },
    timeoutMs: 3_600_000,
    concurrency: 1,
    run: async (named, run) => {
      const stream = driftCheckStream(named.project, named.group, named.check);
      const { state } = await aggregates.load(driftCheck, stream);
      if (state.status !== 'requested') return;
      const position = await positionOfRequest(eventStore, stream);
      try {
        const measured = await measureCheck({ replay: sharedReplay(eventStore), contents: trainingSets }, { ...named, request: state.request, position }, run.signal);
        await record(named, measured, run);
      } catch (error) {
        if (!(error instanceof Refusal) || isPassing(error)) throw error;
        await run.issue(failDriftCheckCommand, { ...named, reason: error.message });
      }
    },
  });

async function record(named: Named, { drifts, broken, current, ...measured }: MeasuredCheck, { issue }: JobRun): Promise<void> {
  for (let at = 0; at < drifts.length; at += featuresAtOnce) await issue(recordFeatureDriftsCommand, { ...named, window: current, drifts: drifts.slice(at, at + featuresAtOnce) });
  const { project, group, check } = named;
  for (const { expectation, finding } of broken) {
    await issue(recordExpectationBreachCommand, { project, group, breach: `${check}.${expectation.name}`, mode: expectation.mode, finding, commandId: null, window: current });
  }
  await issue(completeDriftCheckCommand, {
    ...named,
    version: measured.version,
    reference: measured.reference,
    knownAtPosition: formatPosition(measured.position),
    referenceRows: measured.referenceRows,
    currentRows: measured.currentRows,
    measured: drifts.length,
    drifted: drifts.filter(({ verdict }) => verdict === 'DRIFTED').map(({ feature }) => feature),
    broken: broken.map(({ expectation }) => expectation.name),
  });
}

async function positionOfRequest(eventStore: EventStore, stream: string): Promise<Position> {
  for await (const { position } of eventStore.readStream(stream, { limit: 1 })) return position;
  throw new Error(`${stream} has no event`);
}
