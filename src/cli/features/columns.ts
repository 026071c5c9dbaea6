import { fileValues } from '../../commands/features/file-values.js';
import type { EntityType, FeatureType } from '../../domain/features/values.js';
import { placeOf, RowsError, type RowBatch } from '../rows/source.js';

/** A column as `tarl.features.v1.Column` has it: of the lists the one that fits the type is filled. */
export interface Column {
  readonly name: string;
  readonly doubles?: readonly number[];
  readonly ints?: readonly (number | string)[];
  readonly strings?: readonly string[];
  readonly stringIndex?: readonly number[];
  readonly bools?: readonly boolean[];
  readonly timesUs?: readonly number[];
  readonly lists?: readonly { readonly values: readonly number[] }[];
  readonly nulls?: readonly number[];
}

/** The values of a file's column as a column of the API; names the line or row of the first that does not fit. */
export function columnOf(name: string, type: FeatureType | EntityType, values: readonly unknown[], within: Pick<RowBatch, 'first' | 'lines'>): Column {
  const { list, empty } = kinds[type];
  const read = type === 'DOUBLE_LIST' ? listOf : fileValues[type];
  const nulls: number[] = [];
  const filled = values.map((value, at) => {
    if (value === null || value === undefined) {
      nulls.push(at);
      return empty;
    }
    const fitting = read(value);
    if (fitting === undefined) throw new RowsError(`${placeOf(within, at)}, column ${name}: ${show(value)} is not ${type}`);
    return fitting;
  });
  const filling = list === 'strings' ? repeated(filled as string[]) : { [list]: filled };
  return { name, ...filling, ...(nulls.length > 0 && { nulls }) };
}

/** For each type its list, and what stands for null. */
const kinds: Readonly<Record<FeatureType, { readonly list: keyof Column; readonly empty: unknown }>> = {
  INT64: { list: 'ints', empty: 0 },
  DOUBLE: { list: 'doubles', empty: 0 },
  STRING: { list: 'strings', empty: '' },
  BOOL: { list: 'bools', empty: false },
  TIMESTAMP: { list: 'timesUs', empty: 0 },
  DOUBLE_LIST: { list: 'lists', empty: { values: [] } },
};

const listOf = (value: unknown): { values: number[] } | undefined => {
  const values = fileValues.DOUBLE_LIST(value) as number[] | undefined;
  return values && { values };
};

/** Strings that repeat, as the distinct ones and an index for each row: shorter on the wire and in the log. */
export function repeated(values: readonly string[]): Pick<Column, 'strings' | 'stringIndex'> {
  const places = new Map<string, number>();
  const stringIndex: number[] = new Array(values.length);
  for (let row = 0; row < values.length; row++) {
    let place = places.get(values[row]!);
    if (place === undefined) {
      place = places.size;
      if (place > 64 && place * 2 > values.length) return { strings: values };
      places.set(values[row]!, place);
    }
    stringIndex[row] = place;
  }
  return { strings: [...places.keys()], stringIndex };
}

const show = (value: unknown): string => (typeof value === 'bigint' ? String(value) : JSON.stringify(value));
