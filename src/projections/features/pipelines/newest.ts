import { requireActivePipeline } from '../../../domain/features/pipelines/decisions.js';
import { pipeline as decider, type Pipeline, type PipelineVersion } from '../../../domain/features/pipelines/state.js';
import { pipelineStream } from '../../../domain/features/streams.js';
import { evolveStored } from '../../../platform/eventstore/decode-stored.js';
import type { EventStore } from '../../../platform/eventstore/port.js';

/** The newest version of a pipeline that may be applied, read from the log. Refuses one that is absent or archived. */
export async function newestPipeline(eventStore: EventStore, of: { project: string; pipeline: string }, signal?: AbortSignal): Promise<PipelineVersion> {
  let state: Pipeline = decider.initialState;
  for await (const event of eventStore.readStream(pipelineStream(of.project, of.pipeline), { signal })) {
    state = evolveStored(decider, state, event);
  }
  return requireActivePipeline(of, state);
}
