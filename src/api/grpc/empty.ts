import type { Field, Kind } from '../fields.js';

type Convert = (value: any) => any;

/** Protobuf cannot tell an empty list or map from one that was left out; where a field may be left out, empty means that. */
export const emptyAsAbsent = (fields: readonly Field[]): Convert => objectConverter(fields) ?? ((message) => message);

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
  if (kind.kind === 'object') return objectConverter(kind.fields);
  const inside = kind.kind === 'list' || kind.kind === 'map' ? converterOf(kind.of) : undefined;
  if (!inside) return undefined;
  return kind.kind === 'list' ? (list: unknown[]) => list.map(inside) : (map) => Object.fromEntries(Object.entries(map).map(([key, value]) => [key, inside(value)]));
}
