import type { Field, Kind } from '../fields.js';

type Convert = (value: any) => any;

/**
 * A message as the schema of the operation means it. Protobuf cannot tell an empty list or map from one that was left
 * out, so empty is absent where a field may be absent; and 64-bit integers, which come as digits, become whole numbers.
 */
export const inputOfMessage = (fields: readonly Field[]): Convert => objectConverter(fields) ?? ((message) => message);

function objectConverter(fields: readonly Field[]): Convert | undefined {
  const steps = fields.flatMap(({ name, kind, optional }) => {
    const inside = converterOf(kind);
    const isMany = kind.kind === 'list' || kind.kind === 'map';
    return inside || (isMany && optional) ? [{ name, inside, dropsEmpty: isMany && optional }] : [];
  });
  if (steps.length === 0) return undefined;
  return (message) => {
    const converted = { ...message };
    for (const { name, inside, dropsEmpty } of steps) {
      const value = converted[name];
      if (value === undefined) continue;
      if (dropsEmpty && Object.keys(value).length === 0) delete converted[name];
      else if (inside) converted[name] = inside(value);
    }
    return converted;
  };
}

function converterOf(kind: Kind): Convert | undefined {
  if (kind.kind === 'integer') return wholeNumber;
  if (kind.kind === 'object') return objectConverter(kind.fields);
  const inside = kind.kind === 'list' || kind.kind === 'map' ? converterOf(kind.of) : undefined;
  if (!inside) return undefined;
  return kind.kind === 'list' ? (list: unknown[]) => list.map(inside) : (map) => Object.fromEntries(Object.entries(map).map(([key, value]) => [key, inside(value)]));
}

/** Digits that a double cannot hold stay digits, and the schema refuses them. */
function wholeNumber(value: unknown): unknown {
  const number = typeof value === 'string' ? Number(value) : value;
  return Number.isSafeInteger(number) ? number : value;
}
