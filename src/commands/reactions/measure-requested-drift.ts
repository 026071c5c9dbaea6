import { v5 as uuidv5 } from 'uuid';
import { driftCheckEvents } from '../../domain/features/monitoring/checks/events.js';
import { driftCheckStream } from '../../domain/features/streams.js';
import { requestJobCommand } from '../jobs.js';
import { defineReaction } from './define.js';

const [requested] = driftCheckEvents;
const jobNamespace = '0b7c5f0e-6f0d-5d2f-9a55-6a1f3a0c7d11';

/** The name of the job that makes a drift check. */
export const measureDriftJob = 'measure-drift';

/** A drift check that is asked for is made by a job, because it may replay a long history. */
export const measureRequestedDrift = defineReaction({
  name: 'measure-requested-drift',
  since: '2026-11-26T00:00:00Z',
  events: [requested],
  react: ({ data: { project, group, check } }) => [
    { command: requestJobCommand, input: { id: uuidv5(driftCheckStream(project, group, check), jobNamespace), job: measureDriftJob, input: { project, group, check } } },
  ],
});
