import { z } from 'zod';
import { onDifference, operation, retryOutcome, viewStatus } from '../projections/engine/answers.js';
import { defineAction } from './kit/action.js';
import { retryParked, skipParked } from './projections/parking.js';

const view = z.string().min(1).max(128);
const ofView = (verb: string) => ({ method: 'POST', path: `/api/v1/projections/{view}:${verb}` }) as const;
const id = z.string().min(1).max(128);
const ofOperation = (verb: string) => ({ method: 'POST', path: `/api/v1/operations/{id}:${verb}` }) as const;

/** What it takes to have read models built anew. */
const rebuilding = { permission: 'projections.rebuild', output: operation } as const;
/** What it takes to change which events a view has taken. */
const repairing = { permission: 'projections.repair', output: retryOutcome } as const;

export const projectionActions = [
  defineAction({
    ...rebuilding,
    name: 'RebuildProjection',
    summary: 'Begins to build a read model anew from the log; queries go on, and so does the work when the caller hangs up',
    http: ofView('rebuild'),
    input: z.object({ view, onDifference: onDifference.optional().describe('When the rows differ from the live ones: SWITCH to them, or STOP and tell, which is meant for an unchanged version where it is left out.') }),
    run: (input, { projections, request }) => projections.begin({ kind: 'rebuild', actor: request.caller.actor, ...input }),
  }),
  defineAction({
    ...rebuilding,
    name: 'CompareProjection',
    summary: 'Begins to compare the rows of a read model with what the log gives; nothing is changed',
    http: ofView('compare'),
    input: z.object({ view }),
    run: ({ view }, { projections, request }) => projections.begin({ kind: 'comparison', view, actor: request.caller.actor }),
  }),
  defineAction({
    ...rebuilding,
    name: 'RollBackProjection',
    summary: 'Begins to put the rows that the last rebuild has replaced back in their place, brought up to the present',
    http: ofView('rollBack'),
    input: z.object({ view }),
    run: ({ view }, { projections, request }) => projections.begin({ kind: 'rollback', view, actor: request.caller.actor }),
  }),
  defineAction({
    ...rebuilding,
    name: 'SplitProjection',
    summary: 'Splits a read model by key into slices that are projected side by side; nothing is rebuilt',
    http: ofView('split'),
    input: z.object({ view, slices: z.int().describe('How many; 1 to project it in one again.') }),
    output: viewStatus,
    run: async ({ view, slices }, { projections }) => {
      await projections.split(view, slices);
      return (await projections.status()).find(({ name }) => name === view)!;
    },
  }),
  defineAction({
    ...rebuilding,
    name: 'PauseOperation',
    summary: 'Has an operation stand still before its next step',
    http: ofOperation('pause'),
    input: z.object({ id }),
    run: ({ id }, { projections }) => projections.steer(id, 'pause'),
  }),
  defineAction({
    ...rebuilding,
    name: 'ResumeOperation',
    summary: 'Has an operation go on that stands still',
    http: ofOperation('resume'),
    input: z.object({ id }),
    run: ({ id }, { projections }) => projections.steer(id, 'resume'),
  }),
  defineAction({
    ...rebuilding,
    name: 'CancelOperation',
    summary: 'Asks an operation to end, which may take a moment',
    http: ofOperation('cancel'),
    input: z.object({ id }),
    run: ({ id }, { projections }) => projections.steer(id, 'cancel'),
  }),
  defineAction({
    ...repairing,
    name: 'RetryParkedEvents',
    summary: 'Tries parked events again, of one key or of all',
    http: ofView('retry'),
    input: z.object({ view, key: z.string().optional().describe('Only this key; all of the view where it is left out.') }),
    run: retryParked,
  }),
  defineAction({
    ...repairing,
    name: 'SkipParkedEvent',
    summary: 'Goes on without the first event that waits under a key; the log keeps who decided it and why',
    http: ofView('skip'),
    input: z.object({ view, key: z.string(), reason: z.string().trim().min(1).max(1024) }),
    run: skipParked,
  }),
] as const;
