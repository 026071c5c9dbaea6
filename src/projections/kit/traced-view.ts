import { inBatchSpan, recordedCauses } from '../../platform/telemetry/batch.js';
import type { Tracing } from '../../platform/telemetry/tracing.js';
import type { View } from './view.js';

/** The view with a span around each batch, linked to the commands whose events it takes. One that takes every event has none: it would be there for any command, and tell nothing of it. */
export function tracedView(view: View, tracing: Tracing): View {
  if (!tracing.enabled || view.eventTypes === 'all') return view;
  return {
    ...view,
    project(events, tx) {
      const causes = recordedCauses(events);
      if (causes.length === 0) return view.project(events, tx);
      return inBatchSpan(tracing, `project ${view.name}`, causes, () => view.project(events, tx), { kind: 'consumer', attributes: { events: events.length } });
    },
  };
}
