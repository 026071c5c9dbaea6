import { Refusal, type Decide } from '../kit/index.js';
import type { JobEvent } from './events.js';
import type { JobState } from './state.js';

type JobDecision<Input = object> = Decide<{ id: string } & Input, JobState, JobEvent>;
type Request = Extract<JobEvent, { type: 'JobRequested' }>['data'];

/** An id that is known is the same wish, whatever has become of it. */
export const requestJob: JobDecision<Request> = (input, state) => (state.status === 'absent' ? [{ type: 'JobRequested', data: input }] : []);

export const retryJob: JobDecision = (input, state) => {
  switch (state.status) {
    case 'absent':
      throw new Refusal('NOT_FOUND', `Job ${input.id} does not exist`, { reason: 'JOB_NOT_FOUND' });
    case 'succeeded':
      throw new Refusal('FAILED_PRECONDITION', `Job ${input.id} has succeeded; it is not run again`, { reason: 'JOB_SUCCEEDED' });
    case 'waiting':
      return [];
    case 'failed':
      return [{ type: 'JobRetried', data: input }];
  }
};

/** A try that was taken for lost may still succeed, also after another one has failed. */
export const recordJobSuccess: JobDecision = (input, state) => (state.status === 'waiting' || state.status === 'failed' ? [{ type: 'JobSucceeded', data: input }] : []);

export const recordJobFailure: JobDecision<{ reason: string }> = (input, state) => (state.status === 'waiting' ? [{ type: 'JobFailed', data: input }] : []);
