const oddDigits = new Set('13579bdfBDF');

/** Whether the trace is recorded: the lowest bit of the flags, by the W3C recommendation. */
export const isRecorded = (traceparent: string): boolean => oddDigits.has(traceparent.charAt(traceparent.length - 1));

/** The traceparent in the metadata of an event, where it has one. */
export function traceparentIn(metadata: Readonly<Record<string, unknown>>): string | undefined {
  const { traceparent } = metadata;
  return typeof traceparent === 'string' ? traceparent : undefined;
}
