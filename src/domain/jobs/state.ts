import { defineDecider } from '../kit/index.js';
import { jobEvents } from './events.js';

/** What was asked for, and how it stands; `waiting` until it has ended, under way included. */
export type JobState =
  | { status: 'absent' }
  | { status: 'waiting' | 'succeeded' | 'failed'; job: string; input: Record<string, unknown>; notBefore: string | null };

export const jobStream = (id: string): string => `job-${id}`;

const to = (state: JobState, status: 'waiting' | 'succeeded' | 'failed'): JobState => (state.status === 'absent' ? state : { ...state, status });

export const job = defineDecider({
  category: 'job',
  events: jobEvents,
  initialState: { status: 'absent' } as JobState,
  on: {
    JobRequested: (_, { job, input, notBefore }): JobState => ({ status: 'waiting', job, input, notBefore }),
    JobRetried: (state): JobState => to(state, 'waiting'),
    JobSucceeded: (state): JobState => to(state, 'succeeded'),
    JobFailed: (state): JobState => to(state, 'failed'),
  },
});
