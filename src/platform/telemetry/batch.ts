import { isRecorded, traceparentIn } from './traceparent.js';
import type { SpanDetails, Tracing } from './tracing.js';

/**
 * Runs work that several traces lead to, in a span linked to each of them: within the trace where it is only one, else in
 * a trace of its own. Where none of them is recorded there is no span, and the work hears of none.
 */
export function inBatchSpan<Result>(tracing: Tracing, name: string, causes: readonly string[], work: (traceparent: string | undefined) => Promise<Result>, more: SpanDetails = {}): Promise<Result> {
  const links = tracing.enabled ? causes.filter(isRecorded) : [];
  const [first] = links;
  if (first === undefined) return work(undefined);
  const isOneTrace = links.every((link) => link.startsWith(first.slice(0, 35)));
  return isOneTrace ? tracing.inSpan(name, links.at(-1)!, work, { ...more, links }) : tracing.inTrace(name, work, { ...more, links });
}

/** The recorded traces that led to events, by traceparent. */
export function recordedCauses(events: readonly { readonly metadata: Readonly<Record<string, unknown>> }[]): string[] {
  const causes: string[] = [];
  for (const { metadata } of events) {
    const traceparent = traceparentIn(metadata);
    if (traceparent !== undefined && isRecorded(traceparent)) causes.push(traceparent);
  }
  return causes;
}
