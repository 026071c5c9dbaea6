import { z } from 'zod';
import { requireFeature, requireGroup } from '../domain/features/decisions.js';
import { requestDriftCheck } from '../domain/features/monitoring/checks/decisions.js';
import { driftCheck } from '../domain/features/monitoring/checks/state.js';
import { removeFeatureMonitor, requireBaseline, setFeatureBaseline, setFeatureExpectations, setFeatureMonitor } from '../domain/features/monitoring/decisions.js';
import { expectation, rangeTypes, type Expectation } from '../domain/features/monitoring/expectations.js';
import type { Baseline } from '../domain/features/monitoring/events.js';
import { cron, timeZone } from '../domain/kit/schedule.js';
import { featureMonitoring, type FeatureMonitoring } from '../domain/features/monitoring/state.js';
import { driftTests, standardTests } from '../domain/features/monitoring/tests.js';
import { moment, timeRange } from '../domain/features/monitoring/window.js';
import { referenceOf, versionedGroup } from '../domain/features/reference.js';
import { requireService } from '../domain/features/services/decisions.js';
import { featureService, type FeatureService } from '../domain/features/services/state.js';
import { featureGroup, type FeatureGroup } from '../domain/features/state.js';
import { driftCheckStream, featureGroupStream, featureMonitoringStream, featureServiceStream, trainingSetStream } from '../domain/features/streams.js';
import { columnsOfGroup } from '../domain/features/training-sets/columns.js';
import { requireTrainingSet } from '../domain/features/training-sets/decisions.js';
import { trainingSet, type TrainingSetState } from '../domain/features/training-sets/state.js';
import { Refusal, resourceName } from '../domain/kit/index.js';
import { defineCommand, type Requirement } from './kit/command.js';
import { logPosition } from './kit/log-position.js';

type OfGroup = { project: string; group: string };

const ofGroup = {
  permission: 'features.monitor',
  decider: featureMonitoring,
  stream: ({ project, group }: OfGroup) => featureMonitoringStream(project, group),
} as const;

const name = { project: resourceName, group: resourceName };
const features = z.array(resourceName).max(1000).default([]).describe('Only these features; all where none is named.');
const tests = driftTests.default(standardTests);
const knownAtPosition = logPosition.nullable().default(null).describe('Up to where the log counts; up to the moment of the command where it is left out.');
const longestWindow_seconds = 3_155_760_000;

export const monitoringCommands = [
  defineCommand({
    permission: 'features.monitor',
    decider: driftCheck,
    stream: ({ project, group, check }: OfGroup & { check: string }) => driftCheckStream(project, group, check),
    name: 'RunDriftCheck',
    summary: 'Compares a window of a group with its baseline, or with another window, in the background; the figures stand in the log',
    http: { method: 'POST', path: '/api/v1/projects/{project}/feature-groups/{group}/drift-checks' },
    input: z.object({
      ...name,
      check: resourceName,
      reference: timeRange.nullable().default(null).describe('What the window is compared with; the baseline where it is left out.'),
      current: timeRange,
      features,
      tests,
      knownAtPosition,
    }),
    requires: ({ project, group, features: named, reference }) => [existing({ project, group }, named), ...(reference ? [] : [withBaseline({ project, group })])],
    decide: (input, state, context) => requestDriftCheck({ ...input, tick: null }, state, context),
    creates: true,
  }),
  defineCommand({
    ...ofGroup,
    name: 'SetFeatureBaseline',
    summary: 'Says what a group is compared with: a window of its own history or of the training set of a service, or a saved training set',
    http: { method: 'POST', path: '/api/v1/projects/{project}/feature-groups/{group}:setBaseline' },
    input: z
      .object({
        ...name,
        start: moment.nullable().default(null),
        end: moment.nullable().default(null),
        service: resourceName.nullable().default(null).describe("The service whose training set is meant; the group's own history where it is left out."),
        trainingSet: resourceName.nullable().default(null).describe('A saved training set, whose rows are then meant; it takes the place of a window.'),
        knownAtPosition,
      })
      .superRefine(windowOrTrainingSet),
    requires: ({ project, group, service, trainingSet }) => [
      existing({ project, group }, []),
      ...(service === null ? [] : [servingGroup({ project, group }, service)]),
      ...(trainingSet === null ? [] : [holdingGroup({ project, group }, trainingSet)]),
    ],
    decide: setFeatureBaseline,
  }),
  defineCommand({
    ...ofGroup,
    name: 'SetFeatureMonitor',
    summary: 'Compares the newest window of a group with its baseline again and again, by a schedule',
    http: { method: 'POST', path: '/api/v1/projects/{project}/feature-groups/{group}:setMonitor' },
    input: z.object({
      ...name,
      cron: cron.describe('When: five fields, such as 0 3 * * *'),
      timeZone: timeZone.default('UTC').describe('The time zone of the schedule, such as Europe/Vienna.'),
      windowSeconds: z.int().min(60).max(longestWindow_seconds).describe('How long the window is: 86400 for a day.'),
      delaySeconds: z.int().min(0).max(longestWindow_seconds).default(0).describe('How long before the check the window ends, so that late rows are in it.'),
      features,
      tests,
    }),
    requires: ({ project, group, features: named }) => [existing({ project, group }, named)],
    decide: setFeatureMonitor,
  }),
  defineCommand({
    ...ofGroup,
    name: 'RemoveFeatureMonitor',
    summary: 'Ends the schedule of a group; what was measured stays',
    http: { method: 'POST', path: '/api/v1/projects/{project}/feature-groups/{group}:removeMonitor' },
    input: z.object(name),
    decide: removeFeatureMonitor,
  }),
  defineCommand({
    ...ofGroup,
    permission: 'features.define',
    name: 'SetFeatureExpectations',
    summary: 'Says what writes and windows of a group are expected to fulfil; a breach is reported, or the write refused',
    http: { method: 'POST', path: '/api/v1/projects/{project}/feature-groups/{group}:setExpectations' },
    input: z.object({
      ...name,
      expectations: z.array(expectation).max(100).refine((all) => new Set(all.map((one) => one.name)).size === all.length, 'names an expectation twice').default([]).describe('All of them: they take the place of those before.'),
    }),
    requires: ({ project, group, expectations }) => [judgeable({ project, group }, expectations)],
    decide: setFeatureExpectations,
  }),
] as const;

/** A window has a start before its end; a saved training set has all of that itself. */
function windowOrTrainingSet({ trainingSet, ...given }: Pick<Baseline, 'start' | 'end' | 'service' | 'trainingSet' | 'knownAtPosition'>, context: z.RefinementCtx): void {
  const refuse = (field: string, message: string) => context.addIssue({ code: 'custom', path: [field], message });
  if (trainingSet !== null) {
    for (const field of ['start', 'end', 'service', 'knownAtPosition'] as const) if (given[field] !== null) refuse(field, 'is given beside trainingSet, which has its own');
    return;
  }
  const missing = (['start', 'end'] as const).filter((field) => given[field] === null);
  for (const field of missing) refuse(field, 'is needed, or trainingSet in its place');
  if (missing.length === 0 && !timeRange.safeParse(given).success) refuse('end', 'is not after the start');
}

/** The group is there, and has the features. */
const existing = ({ project, group }: OfGroup, named: readonly string[]): Requirement<FeatureGroup> => ({
  decider: featureGroup,
  stream: featureGroupStream(project, group),
  check: (state) => {
    requireGroup({ project, group }, state);
    named.forEach((feature, at) => requireFeature({ project, group }, feature, state, `features[${at}]`));
  },
});

const withBaseline = ({ project, group }: OfGroup): Requirement<FeatureMonitoring> => ({
  decider: featureMonitoring,
  stream: featureMonitoringStream(project, group),
  check: (state) => void requireBaseline({ project, group }, state),
});

/** The service is there and gives features of the group. */
const servingGroup = ({ project, group }: OfGroup, service: string): Requirement<FeatureService> => ({
  decider: featureService,
  stream: featureServiceStream(project, service),
  check: (state) => {
    const { features: given } = requireService({ project, service }, state);
    if (given.some((text) => versionedGroup(referenceOf(text).name).group === group)) return;
    const description = `names ${service}, which gives nothing of ${group}`;
    throw new Refusal('INVALID_ARGUMENT', `service ${description}`, { reason: 'INVALID_INPUT', fields: [{ field: 'service', description }] });
  },
});

/** The training set is saved, has rows, and holds features of the group, each once. */
const holdingGroup = ({ project, group }: OfGroup, name: string): Requirement<TrainingSetState> => ({
  decider: trainingSet,
  stream: trainingSetStream(project, name),
  check: (state) => {
    const { answer } = requireTrainingSet({ project, trainingSet: name }, state);
    const held = columnsOfGroup(answer.columns, { project, group });
    const twice = held.find(({ feature }, at) => held.findIndex((other) => other.feature === feature) < at);
    const fault = answer.rows === 0 ? 'which has no rows' : held.length === 0 ? `which holds nothing of ${group}` : twice && `which holds ${twice.feature} of ${group} more than once`;
    if (fault) throw new Refusal('INVALID_ARGUMENT', `trainingSet names ${name}, ${fault}`, { reason: 'INVALID_INPUT', fields: [{ field: 'trainingSet', description: `names ${name}, ${fault}` }] });
  },
});

/** The features of expectations are there, and ranges are of numbers. */
const judgeable = ({ project, group }: OfGroup, expectations: readonly Expectation[]): Requirement<FeatureGroup> => ({
  decider: featureGroup,
  stream: featureGroupStream(project, group),
  check: (state) => {
    const { features: declared } = requireGroup({ project, group }, state);
    expectations.forEach(({ kind, feature }, at) => {
      if (feature === undefined) return;
      const field = `expectations[${at}].feature`;
      requireFeature({ project, group }, feature, state, field);
      const { type } = declared.find((spec) => spec.name === feature)!;
      const description = `names ${feature}, which is ${type}; a range is of numbers`;
      if (kind === 'RANGE' && !rangeTypes.includes(type)) throw new Refusal('INVALID_ARGUMENT', `${field} ${description}`, { reason: 'INVALID_INPUT', fields: [{ field, description }] });
    });
  },
});
