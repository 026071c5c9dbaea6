import { fileValues } from '../../commands/features/file-values.js';
import type { FeatureType } from '../../domain/features/values.js';
import type { RowBatch } from '../rows/source.js';
import type { Naming } from './columns-of-batch.js';
import type { Group } from './group.js';

/** One row as `tarl.features.v1.FeatureRow` has it; values as protobufjs writes `google.protobuf.Value`. */
export interface RowMessage {
  readonly entity: Record<string, object>;
  readonly eventTime?: { readonly seconds: number; readonly nanos: number };
  readonly values: Record<string, object>;
}

/**
 * Rows of a file one by one, for a batch in which something does not fit the type of its column: what does not fit goes
 * as it stands in the file, so that the platform refuses that row alone.
 */
export function rowsOf({ columns, rows }: RowBatch, { entities, features }: Group, { eventTime, renamed }: Naming): RowMessage[] {
  const read = (named: readonly { readonly name: string; readonly type: FeatureType }[]) =>
    named.flatMap(({ name, type }) => {
      const values = columns.get(renamed[name] ?? name);
      return values ? [{ name, at: (row: number) => valueOf(values[row], type) }] : [];
    });
  const [keys, values] = [read(entities), read(features)];
  const times = columns.get(eventTime) ?? [];
  return Array.from({ length: rows }, (_, row) => {
    const us = fileValues.TIMESTAMP(times[row]) as number | undefined;
    return { entity: cells(keys, row), ...(us !== undefined && { eventTime: timestampOf(us) }), values: cells(values, row) };
  });
}

const cells = (columns: readonly { readonly name: string; at(row: number): object }[], row: number): Record<string, object> => Object.fromEntries(columns.map(({ name, at }) => [name, at(row)]));

function timestampOf(us: number): { seconds: number; nanos: number } {
  const seconds = Math.floor(us / 1_000_000);
  return { seconds, nanos: (us - seconds * 1_000_000) * 1000 };
}

const valueOf = (given: unknown, type: FeatureType): object => (given === null || given === undefined ? { nullValue: 0 } : protoValue(fileValues[type](given) ?? given));

function protoValue(value: unknown): object {
  switch (typeof value) {
    case 'number':
      return { numberValue: value };
    case 'boolean':
      return { boolValue: value };
    case 'object':
      return Array.isArray(value) ? { listValue: { values: value.map(protoValue) } } : { stringValue: JSON.stringify(value) };
    default:
      return { stringValue: String(value) };
  }
}
