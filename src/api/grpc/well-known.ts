/** How protobuf's well-known types read in JSON, as the proto3 JSON mapping defines it. */
export const wellKnown: Readonly<Record<string, { readonly read: (value: any) => unknown; readonly write: (value: any) => unknown }>> = {
  '.google.protobuf.Timestamp': { read: isoOf, write: timestampOf },
  '.google.protobuf.Duration': { read: durationText, write: durationOf },
  '.google.protobuf.Struct': { read: jsonOfStruct, write: structOf },
  '.google.protobuf.Value': { read: jsonOfValue, write: valueOf },
  '.google.protobuf.ListValue': { read: ({ values }: { values: ProtoValue[] }) => values.map(jsonOfValue), write: (list: unknown[]) => ({ values: list.map(valueOf) }) },
};

interface Seconds {
  readonly seconds: string | number;
  readonly nanos: number;
}

/** ISO 8601 in UTC with as many digits of 0, 3, 6 or 9 as the nanoseconds need; a time out of range gives a text that no schema takes. */
function isoOf({ seconds, nanos }: Seconds): string {
  const date = new Date(Number(seconds) * 1000);
  if (Number.isNaN(date.getTime())) return 'out of range';
  const whole = date.toISOString();
  if (nanos === 0) return whole;
  const digits = String(nanos).padStart(9, '0').replace(/(?:000){1,2}$/, '');
  return `${whole.slice(0, -5)}.${digits}Z`;
}

function timestampOf(time: string | Date): Seconds {
  const text = typeof time === 'string' ? time : time.toISOString();
  const millis = Date.parse(text);
  if (Number.isNaN(millis)) throw new TypeError('A time in an answer is not ISO 8601');
  const fraction = /\.(\d{1,9})/.exec(text)?.[1] ?? '';
  return { seconds: Math.floor(millis / 1000), nanos: Number(fraction.padEnd(9, '0')) };
}

function durationText({ seconds, nanos }: Seconds): string {
  const sign = Number(seconds) < 0 || nanos < 0 ? '-' : '';
  const fraction = nanos === 0 ? '' : `.${String(Math.abs(nanos)).padStart(9, '0').replace(/0+$/, '')}`;
  return `${sign}${String(seconds).replace('-', '')}${fraction}s`;
}

function durationOf(text: string): Seconds {
  const [, sign, seconds, fraction = ''] = /^(-?)(\d+)(?:\.(\d{1,9}))?s$/.exec(text) ?? [];
  if (seconds === undefined) throw new TypeError('A duration in an answer is not a number of seconds');
  const factor = sign === '-' ? -1 : 1;
  return { seconds: factor * Number(seconds), nanos: factor * Number(fraction.padEnd(9, '0')) };
}

/** proto-loader gives the one member that is set. */
interface ProtoValue {
  readonly nullValue?: unknown;
  readonly numberValue?: number;
  readonly stringValue?: string;
  readonly boolValue?: boolean;
  readonly structValue?: { readonly fields: Readonly<Record<string, ProtoValue>> };
  readonly listValue?: { readonly values: readonly ProtoValue[] };
}

function jsonOfValue(value: ProtoValue): unknown {
  if (value.structValue) return jsonOfStruct(value.structValue);
  if (value.listValue) return value.listValue.values.map(jsonOfValue);
  return value.stringValue ?? value.numberValue ?? value.boolValue ?? null;
}

function jsonOfStruct({ fields }: { readonly fields: Readonly<Record<string, ProtoValue>> }): object {
  return Object.fromEntries(Object.entries(fields).map(([key, value]) => [key, jsonOfValue(value)]));
}

function structOf(value: object) {
  return { fields: Object.fromEntries(Object.entries(value).map(([key, item]) => [key, valueOf(item)])) };
}

function valueOf(value: unknown): ProtoValue {
  switch (typeof value) {
    case 'number':
      return { numberValue: value };
    case 'string':
      return { stringValue: value };
    case 'boolean':
      return { boolValue: value };
    case 'object':
      if (value === null) return { nullValue: 0 };
      if (value instanceof Date) return { stringValue: value.toISOString() };
      return Array.isArray(value) ? { listValue: { values: value.map(valueOf) } } : { structValue: structOf(value) };
    default:
      return { nullValue: 0 };
  }
}
