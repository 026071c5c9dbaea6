import protobuf from 'protobufjs';
import { wellKnown } from './well-known.js';

type Convert = (value: any) => any;
type Direction = 'read' | 'write';

/** From what proto-loader gives to what the schemas describe; undefined when the two are the same. */
export const messageReader = (type: protobuf.Type): Convert | undefined => converterOf(type, 'read', new Map());

/** From what the schemas describe to what proto-loader takes; undefined when the two are the same. */
export const messageWriter = (type: protobuf.Type): Convert | undefined => converterOf(type, 'write', new Map());

/** Made once a type; messages that need nothing done cost nothing. */
function converterOf(type: protobuf.Type, direction: Direction, made: Map<protobuf.Type, Convert>): Convert | undefined {
  const special = wellKnown[type.fullName];
  if (special) return special[direction];
  const known = made.get(type);
  if (known) return known;

  const steps: Step[] = [];
  // Entered before its fields are looked at, because a type may hold itself.
  made.set(type, (message) => applySteps(message, steps));
  for (const field of type.fieldsArray) {
    const convert = fieldConverter(field.resolve(), direction, made);
    if (convert) steps.push({ name: field.name, convert, takesNull: direction === 'write' && field.resolvedType?.fullName === '.google.protobuf.Value' });
  }
  return steps.length > 0 ? made.get(type) : undefined;
}

/** What happens to one field. To be written, null is a value of google.protobuf.Value and elsewhere no value. */
interface Step {
  readonly name: string;
  readonly convert: Convert;
  readonly takesNull: boolean;
}

function applySteps(message: Record<string, unknown>, steps: readonly Step[]): Record<string, unknown> {
  const converted = { ...message };
  for (const { name, convert, takesNull } of steps) {
    const value = converted[name];
    if (value !== undefined) converted[name] = value === null && !takesNull ? undefined : convert(value);
  }
  return converted;
}

function fieldConverter(field: protobuf.Field, direction: Direction, made: Map<protobuf.Type, Convert>): Convert | undefined {
  const type = field.resolvedType;
  if (!type) return undefined;
  const convert = type instanceof protobuf.Enum ? enumConverter(type, direction) : converterOf(type, direction, made);
  if (field.repeated) return convert && ((list: unknown[]) => list.map(convert));
  if (field.map) return convert && ((map: object) => Object.fromEntries(Object.entries(map).map(([key, value]) => [key, convert(value)])));
  // proto-loader gives null for a message that is not set; the schemas know it as left out.
  return convert ?? (type instanceof protobuf.Type && direction === 'read' ? (value: unknown) => value : undefined);
}

/** `VALUE_TYPE_INT64` of the enum ValueType is INT64 to everybody else, and `…_UNSPECIFIED` is no value. */
function enumConverter(type: protobuf.Enum, direction: Direction): Convert | undefined {
  const prefix = enumPrefix(type);
  if (prefix === '') return undefined;
  if (direction === 'write') return (value: unknown) => (typeof value === 'string' ? prefix + value : value);
  return (value: unknown) => (value === `${prefix}UNSPECIFIED` ? undefined : typeof value === 'string' ? value.slice(prefix.length) : value);
}

/** The prefix that all values of an enum share by the style guide, or ''. */
export function enumPrefix(type: protobuf.Enum): string {
  const prefix = `${type.name.replace(/([a-z0-9])([A-Z])/g, '$1_$2').toUpperCase()}_`;
  return Object.keys(type.values).every((value) => value.startsWith(prefix)) ? prefix : '';
}
