import { featureMonitoring, type FeatureMonitoring } from '../../../domain/features/monitoring/state.js';
import { featureMonitoringStream } from '../../../domain/features/streams.js';
import { evolveStored } from '../../../platform/eventstore/decode-stored.js';
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
    if (event.type === 'FeatureBaselineSet') baselinePosition = event.position;
    state = evolveStored(featureMonitoring, state, event);
  }
  return { ...state, baselinePosition };
}
