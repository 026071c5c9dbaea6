import { z } from 'zod';
import { defineDecider, defineEvent, resourceName, type Decide, type EventOf } from '../../../kit/index.js';
import { expectationFinding, expectationModes } from '../expectations.js';
import { timeRange } from '../window.js';

/** One expectation that rows broke: those of a write, or those of a window. */
export const featureExpectationBreached = defineEvent(
  'FeatureExpectationBreached',
  z.object({
    project: resourceName,
    group: resourceName,
    /** Made of what broke it and the name of the expectation, so that it is told once. */
    breach: z.string().regex(/^[A-Za-z0-9_.-]{1,200}$/),
    mode: z.enum(expectationModes),
    finding: expectationFinding,
    /** The id of the write, where a write broke it. */
    commandId: z.string().nullable(),
    /** The window, where a window broke it. */
    window: timeRange.nullable(),
  }),
);
export type ExpectationBreach = EventOf<typeof featureExpectationBreached>['data'];

const broken = z.array(featureExpectationBreached.data);

/** The breaches of a write, which stand in the metadata of its last event: so they are in the log as soon as its rows are. */
export const breachesIn = ({ breaches }: Readonly<Record<string, unknown>>): readonly ExpectationBreach[] => (breaches === undefined ? [] : broken.parse(breaches));

export const expectationBreach = defineDecider({
  category: 'feature_expectation_breach',
  events: [featureExpectationBreached],
  initialState: { told: false },
  on: { FeatureExpectationBreached: () => ({ told: true }) },
});

/** Told once, however often it is found. */
export const recordExpectationBreach: Decide<ExpectationBreach, { told: boolean }, EventOf<typeof featureExpectationBreached>> = (input, { told }) =>
  told ? [] : [{ type: 'FeatureExpectationBreached', data: input }];
