/** Gives OpenTelemetry the ids that a span was known by while it lasted. */
export class ChosenIds {
  private traceId = '';
  private spanId = '';

  choose(traceId: string, spanId: string): void {
    this.traceId = traceId;
    this.spanId = spanId;
  }

  generateTraceId = (): string => this.traceId;
  generateSpanId = (): string => this.spanId;
}

/** A new id of a trace: 16 random bytes in hex. */
export const newTraceId = (): string => newSpanId() + newSpanId();

/** A new id of a span: 8 random bytes in hex. */
export const newSpanId = (): string => half() + half();

/** Never zero, which is no id. */
const half = (): string => (Math.floor(Math.random() * 0xffff_ffff) + 1).toString(16).padStart(8, '0');
