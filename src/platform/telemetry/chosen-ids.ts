import { randomFillSync } from 'node:crypto';

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
export const newTraceId = (): string => randomHex(16);

/** A new id of a span: 8 random bytes in hex. */
export const newSpanId = (): string => randomHex(8);

/** Fetched many at a time: each time costs as much as hundreds of ids. */
const randomBytes = Buffer.alloc(4096);
let used = randomBytes.length;

function randomHex(length: number): string {
  if (used + length > randomBytes.length) {
    randomFillSync(randomBytes);
    used = 0;
  }
  return randomBytes.toString('hex', used, (used += length));
}
