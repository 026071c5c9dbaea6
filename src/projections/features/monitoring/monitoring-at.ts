import { featureMonitoringEvents } from '../../../domain/features/monitoring/events.js';
import { featureMonitoring, type FeatureMonitoring } from '../../../domain/features/monitoring/state.js';
import { featureMonitoringStream } from '../../../domain/features/streams.js';
import { decode } from '../../../domain/kit/index.js';
import { comparePositions, type EventStore, type Position } from '../../../platform/eventstore/port.js';

/** What was watched of a group at a place in the log, and up to where the baseline knows the log. */
export interface MonitoringAt extends FeatureMonitoring {
  readonly baselinePosition: Position | undefined;
}

/** Read from the log, so that a check is made of what held when it was asked for. */
export async function monitoringAt(eventStore: EventStore, project: string, group: string, until: Position, signal?: AbortSignal): Promise<MonitoringAt> {
  let state: FeatureMonitoring = featureMonitoring.initialState;
  let baselinePosition: Position | undefined;
  for await (const event of eventStore.readStream(featureMonitoringStream(project, group), { signal })) {
    if (comparePositions(event.position, until) > 0) break;
    const definition = featureMonitoringEvents.find(({ type }) => type === event.type);
    if (!definition) throw new Error(`${event.stream} holds an event of type ${event.type}, which this release does not know`);
    if (event.type === 'FeatureBaselineSet') baselinePosition = event.position;
    state = featureMonitoring.evolve(state, decode(definition, Number(event.metadata['version'] ?? 1), event.data));
  }
  return { ...state, baselinePosition };
}
