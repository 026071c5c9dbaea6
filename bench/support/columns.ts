/** Rows of a bench group as the wire's columns: one STRING key, four features. */
export interface BatchOptions {
  readonly rows: number;
  /** Entities are `e0` to `e<entities-1>`, taken in turns from `first`. */
  readonly entities: number;
  readonly first: number;
  readonly fromUs: number;
}

export const benchGroup = {
  entities: [{ name: 'entity', type: 'FEATURE_TYPE_STRING' }],
  features: [
    { name: 'amount', type: 'FEATURE_TYPE_DOUBLE' },
    { name: 'count', type: 'FEATURE_TYPE_INT64' },
    { name: 'city', type: 'FEATURE_TYPE_STRING' },
    { name: 'flag', type: 'FEATURE_TYPE_BOOL' },
  ],
};

const cities = ['Berlin', 'Lagos', 'Lima', 'Osaka', 'Quito', 'Turin'];

export function batchOf({ rows, entities, first, fromUs }: BatchOptions) {
  const each = <Value>(value: (row: number) => Value): Value[] => Array.from({ length: rows }, (_, row) => value(first + row));
  return {
    keys: [{ name: 'entity', strings: each((n) => `e${n % entities}`) }],
    eventTimeUs: each((n) => fromUs + n * 1000),
    features: [
      { name: 'amount', doubles: each((n) => (n % 9973) / 7) },
      { name: 'count', ints: each((n) => n) },
      { name: 'city', strings: cities, stringIndex: each((n) => n % cities.length) },
      { name: 'flag', bools: each((n) => n % 3 === 0) },
    ],
  };
}
