/** For each character code, whether it is an odd digit in hex. */
const isOdd = Array.from({ length: 128 }, (_, code) => Number.parseInt(String.fromCharCode(code), 16) % 2 === 1);

/** Whether the trace is recorded: the lowest bit of the flags, by the W3C recommendation. */
export const isRecorded = (traceparent: string): boolean => isOdd[traceparent.charCodeAt(traceparent.length - 1)] ?? false;

/** The traceparent in the metadata of an event, where it has one. */
export function traceparentIn(metadata: Readonly<Record<string, unknown>>): string | undefined {
  const { traceparent } = metadata;
  return typeof traceparent === 'string' ? traceparent : undefined;
}
