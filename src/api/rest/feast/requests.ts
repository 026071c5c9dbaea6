import { z } from 'zod';
import { Refusal, resourceName } from '../../../domain/kit/index.js';
import { parseInput } from '../../../commands/kit/validate.js';
import type { WriteMode } from '../../../domain/features/chunk.js';
import type { RowBatch } from '../../../platform/rows/batch.js';
import type { OnlineRequest } from '../../../projections/features/online/read.js';

/** The body of `POST /get-online-features`; fields of later releases of Feast are left alone. */
const onlineInput = z.object({
  entities: z.record(z.string(), z.array(z.unknown())),
  feature_service: z.string().nullish(),
  features: z.array(z.string().max(256)).max(5000).nullish(),
  full_feature_names: z.boolean().nullish(),
});

/** The body of `POST /push`: a data frame as columns of values, or (as pandas gives it) of values by index. */
const pushInput = z.object({
  push_source_name: resourceName,
  df: z.record(z.string(), z.union([z.array(z.unknown()), z.record(z.string(), z.unknown())])),
  to: z.enum(['online', 'offline', 'online_and_offline']).nullish(),
});

const modes = { online: 'ONLINE', offline: 'OFFLINE', online_and_offline: 'BOTH' } as const satisfies Record<string, WriteMode>;

/** What `/get-online-features` asks, as an online read of a project. */
export function onlineRequestOf(project: string, body: unknown): OnlineRequest {
  const { entities, feature_service: service, features, full_feature_names: fullNames } = parseInput(onlineInput, body);
  const columns = Object.entries(entities);
  if (columns.length === 0) refuse('entities', 'names no key; it takes a list of values for each');
  const rows = columns[0]![1].length;
  const uneven = columns.find(([, values]) => values.length !== rows);
  if (uneven) refuse(`entities.${uneven[0]}`, `has ${uneven[1].length} values where ${columns[0]![0]} has ${rows}`);
  return { project, features: features ?? [], ...(service ? { service } : {}), fullNames: fullNames ?? false, entities: rows, keys: new Map(columns) };
}

/** What `/push` brings: the group, for whom, and the rows. */
export function pushOf(body: unknown): { group: string; mode: WriteMode; batch: RowBatch } {
  const { push_source_name: group, df, to } = parseInput(pushInput, body);
  const columns = new Map(Object.entries(df).map(([name, values]) => [name, Array.isArray(values) ? values : Object.values(values)]));
  const lengths = [...columns.values()].map(({ length }) => length);
  const rows = lengths[0] ?? 0;
  if (lengths.some((length) => length !== rows)) refuse('df', 'has columns of different lengths');
  return { group, mode: modes[to ?? 'online'], batch: { first: 1, rows, columns } };
}

function refuse(field: string, description: string): never {
  throw new Refusal('INVALID_ARGUMENT', `${field} ${description}`, { reason: 'INVALID_INPUT', fields: [{ field, description }] });
}
