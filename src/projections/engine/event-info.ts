import { formatPosition, type StoredEvent } from '../../platform/eventstore/port.js';
import { traceparentIn } from '../../platform/telemetry/traceparent.js';
import type { EventInfo } from '../kit/view.js';

/** Events of one batch share few times, and writing one down takes as long as a fold. */
let last = { time: NaN, text: '' };

/** What a handler may know of an event besides its data, worked out when asked for. */
export class InfoOf implements EventInfo {
  constructor(private readonly event: StoredEvent) {}

  get stream(): string {
    return this.event.stream;
  }

  get revision(): bigint {
    return this.event.revision;
  }

  get position(): string {
    return formatPosition(this.event.position);
  }

  get recordedAt(): string {
    const { recordedAt } = this.event;
    const time = recordedAt.getTime();
    if (time !== last.time) last = { time, text: recordedAt.toISOString() };
    return last.text;
  }

  get actor(): string {
    return String(this.event.metadata['actor'] ?? '');
  }

  get project(): string | undefined {
    return this.event.metadata['project'] as string | undefined;
  }

  get traceparent(): string | undefined {
    return traceparentIn(this.event.metadata);
  }
}
