import { fileValues } from '../../commands/features/file-values.js';
import type { EntityKey } from '../../domain/features/definition.js';
import { parseExactly } from '../../platform/rows/exact-json.js';
import { misused } from '../failures.js';
import type { ServiceClient } from '../grpc.js';
import { table } from '../table.js';
import { keyColumns, vectorsOf, type OnlineReply, type OnlineValue } from './online.js';
import type { Target } from './target.js';

/** How entities are written, for the help. */
export const entityHelp = 'keys; several keys of one entity with commas between them, or as a JSON array';

/** The latest or past values of one entity. */
export interface Vector {
  readonly entity: Record<string, unknown>;
  readonly eventTime: string | null;
  readonly values: Record<string, OnlineValue>;
}

/** Asks one of the two reads of values for entities as they are written on the command line. */
export async function readVectors(client: ServiceClient, rpc: 'ReadOnline' | 'ReadAsOf', { project, entities, asked }: Target, written: readonly string[], more: object, minPosition?: string): Promise<{ vectors: Vector[]; reply: OnlineReply }> {
  const tuples = written.map((one) => readEntity(one, entities));
  const reply = await client.unary<OnlineReply>(rpc, { project, ...asked, keys: keyColumns(entities, tuples), ...more }, { minPosition });
  const vectors = vectorsOf(reply, tuples.length).map((vector, at) => ({ entity: keysOf(entities, tuples[at]!), ...vector }));
  return { vectors, reply };
}

/** Vectors as a table; a value that is not simply there says so in words. */
export const vectorTable = (vectors: readonly Vector[]): string => table(vectors.map(({ entity, eventTime, values }) => ({ ...entity, event_time: eventTime, ...readable(values) })));

function readEntity(written: string, entities: readonly EntityKey[]): unknown[] {
  const values: unknown[] = written.startsWith('[') ? listIn(written) : entities.length === 1 ? [written] : written.split(',');
  if (values.length !== entities.length) throw misused(`"${written}" has ${values.length} keys; an entity has ${entities.length}: ${entities.map(({ name }) => name).join(', ')}.`);
  const wrong = entities.findIndex(({ type }, at) => fileValues[type](values[at]) === undefined);
  if (wrong < 0) return values;
  throw misused(`"${written}" is no entity: its key ${entities[wrong]!.name} is ${entities[wrong]!.type}, which ${JSON.stringify(values[wrong])} is not.`);
}

function listIn(written: string): unknown[] {
  try {
    return parseExactly(written, 0) as unknown[];
  } catch (error) {
    throw misused(`"${written}" is not a JSON array: ${(error as Error).message}.`);
  }
}

const keysOf = (entities: readonly EntityKey[], tuple: readonly unknown[]): Record<string, unknown> => Object.fromEntries(entities.map(({ name }, at) => [name, tuple[at]]));

const readable = (values: Record<string, OnlineValue>): Record<string, unknown> => Object.fromEntries(Object.entries(values).map(([name, value]) => [name, inWords(value)]));

function inWords({ value, status }: OnlineValue): unknown {
  switch (status) {
    case 'PRESENT':
      return value;
    case 'OUTSIDE_MAX_AGE':
      return `${String(value)} (too old)`;
    case 'NULL_VALUE':
      return 'null';
    case 'NOT_FOUND':
      return 'not found';
    case 'DELETED':
      return 'deleted';
    case 'UNSPECIFIED':
      return '?';
  }
}
