import type { z } from 'zod';
import { inOneSentence, violationsOf } from './violations.js';
import { words } from './words.js';

/** Brings the data of one released version of an event up to the next version. */
export type Upcast = (older: any) => unknown;

/** One kind of fact: its type, the schema of its data today, and how older data becomes that. */
export interface EventDefinition<Type extends string = string, Data extends z.ZodType = z.ZodType> {
  readonly type: Type;
  readonly version: number;
  readonly data: Data;
  readonly upcasts: readonly Upcast[];
}

/** An event as the domain sees it: always in its latest version. */
export interface DomainEvent<Type extends string = string, Data = unknown> {
  readonly type: Type;
  readonly data: Data;
}

/** The domain event that a definition describes. */
export type EventOf<Definition> = Definition extends EventDefinition<infer Type, infer Data> ? DomainEvent<Type, z.output<Data>> : never;

/** Declares an event. Its version is the number of upcasts plus one, so the two cannot disagree. */
export function defineEvent<const Type extends string, Data extends z.ZodType>(
  type: Type,
  data: Data,
  upcasts: readonly Upcast[] = [],
): EventDefinition<Type, Data> {
  return { type, data, upcasts, version: upcasts.length + 1 };
}

/** Brings stored data up to the latest version and checks it. Throws an error that says what does not fit. */
export function decode<Definition extends EventDefinition>(definition: Definition, version: number, stored: unknown): EventOf<Definition> {
  if (version > definition.version) {
    throw new Error(`${definition.type} version ${version} was written by a newer release; this one knows version ${definition.version}`);
  }
  if (version !== definition.version && !(Number.isInteger(version) && version >= 1)) throw new Error(`${definition.type} says of itself that it has version ${version}, which is none`);
  const current = version === definition.version ? stored : definition.upcasts.slice(version - 1).reduce<unknown>((data, upcast) => upcast(data), stored);
  const parsed = definition.data.safeParse(current);
  if (parsed.success) return { type: definition.type, data: parsed.data } as EventOf<Definition>;
  // Asked again only for the words, which would else cost every event that fits.
  const { error } = definition.data.safeParse(current, { error: words });
  throw new Error(`${definition.type} of version ${version} cannot be decoded: ${inOneSentence(violationsOf(error!))}`, { cause: error });
}
