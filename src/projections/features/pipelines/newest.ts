import { requireActivePipeline } from '../../../domain/features/pipelines/decisions.js';
import { pipelineEvents } from '../../../domain/features/pipelines/events.js';
import { pipeline as decider, type Pipeline, type PipelineVersion } from '../../../domain/features/pipelines/state.js';
import { pipelineStream } from '../../../domain/features/streams.js';
import { decode } from '../../../domain/kit/index.js';
import type { EventStore } from '../../../platform/eventstore/port.js';

/** The newest version of a pipeline that may be applied, read from the log. Refuses one that is absent or archived. */
export async function newestPipeline(eventStore: EventStore, of: { project: string; pipeline: string }, signal?: AbortSignal): Promise<PipelineVersion> {
  let state: Pipeline = decider.initialState;
  for await (const event of eventStore.readStream(pipelineStream(of.project, of.pipeline), { signal })) {
    const definition = pipelineEvents.find(({ type }) => type === event.type);
    if (!definition) throw new Error(`${event.stream} holds an event of type ${event.type}, which this release does not know`);
    state = decider.evolve(state, decode(definition, Number(event.metadata['version'] ?? 1), event.data));
  }
  return requireActivePipeline(of, state);
}
