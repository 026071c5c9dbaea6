import { describe, test } from '@jest/globals';
import { recordJobFailure, recordJobSuccess, requestJob, retryJob } from '../../../src/domain/jobs/decisions.js';
import type { JobEvent } from '../../../src/domain/jobs/events.js';
import { job } from '../../../src/domain/jobs/state.js';
import { anyContext, specify } from '../../support/specify.js';

const given = specify(job);
const request = { id: 'j1', job: 'clear-leftovers', input: {}, notBefore: null };
const requested: JobEvent = { type: 'JobRequested', data: request };
const succeeded: JobEvent = { type: 'JobSucceeded', data: { id: 'j1' } };
const failed: JobEvent = { type: 'JobFailed', data: { id: 'j1', reason: 'no disk' } };
const retried: JobEvent = { type: 'JobRetried', data: { id: 'j1' } };
const id = { id: 'j1' };

describe('a job', () => {
  test('is requested once, whatever has become of it', () => {
    given().when((state) => requestJob(request, state, anyContext)).then(requested);
    given(requested).when((state) => requestJob(request, state, anyContext)).thenNothing();
    given(requested, succeeded).when((state) => requestJob(request, state, anyContext)).thenNothing();
  });

  test('is tried again only when it was given up', () => {
    given(requested, failed).when((state) => retryJob(id, state, anyContext)).then(retried);
    given(requested, failed, retried).when((state) => retryJob(id, state, anyContext)).thenNothing();
    given(requested, succeeded).when((state) => retryJob(id, state, anyContext)).thenRefused('FAILED_PRECONDITION', /has succeeded/);
    given().when((state) => retryJob(id, state, anyContext)).thenRefused('NOT_FOUND', 'Job j1 does not exist');
  });

  test('ends once, and a success counts also after a failure', () => {
    given(requested).when((state) => recordJobSuccess(id, state, anyContext)).then(succeeded);
    given(requested, succeeded).when((state) => recordJobSuccess(id, state, anyContext)).thenNothing();
    given(requested).when((state) => recordJobFailure({ ...id, reason: 'no disk' }, state, anyContext)).then(failed);
    given(requested, succeeded).when((state) => recordJobFailure({ ...id, reason: 'no disk' }, state, anyContext)).thenNothing();
    given(requested, failed).when((state) => recordJobSuccess(id, state, anyContext)).then(succeeded);
  });
});
