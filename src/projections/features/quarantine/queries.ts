import { z } from 'zod';
import { notWaiting } from '../../../domain/features/quarantine/state.js';
import { resourceName } from '../../../domain/kit/index.js';
import { listInput, listPage, type Listing } from '../../kit/list/page.js';
import { defineQuery } from '../../kit/query.js';

const values = z.record(z.string(), z.unknown());

/** A refused row as it waits to be mended. */
const quarantinedRow = z
  .object({
    id: z.string(),
    project: z.string(),
    group: z.string(),
    /** 0 where the write named none: then the promoted one is meant. */
    version: z.int(),
    /** ONLINE, OFFLINE or BOTH. */
    mode: z.string(),
    entity: values,
    eventTime: z.unknown(),
    values,
    faults: z.array(z.object({ field: z.string(), description: z.string() }).meta({ id: 'QuarantineFault' })),
    /** Where it stood, such as `Line 3` of an import. */
    source: z.string(),
    refusedAt: z.iso.datetime(),
    refusedBy: z.string(),
    /** When it goes, mended or not. */
    expiresAt: z.iso.datetime(),
  })
  .meta({ id: 'QuarantinedRow' });

const waiting = '(select * from feature_quarantine where expires_at > now()) as waiting';
const columns = `id, project, "group", coalesce(version, 0)::float8 as version, mode, "row", faults, source, refused_at as "refusedAt", refused_by as "refusedBy", expires_at as "expiresAt"`;

const listing: Listing = {
  table: waiting,
  columns,
  name: 'id',
  fields: {
    group: { sql: '"group"', kind: 'text' },
    field: { sql: 'field', kind: 'text' },
    reason: { sql: 'reason', kind: 'text' },
    source: { sql: 'source', kind: 'text' },
    refusedBy: { sql: 'refused_by', kind: 'text' },
    refusedAt: { sql: 'refused_at', kind: 'time' },
  },
  search: `concat_ws(' ', "group", reason, source, "row")`,
  order: {
    group: { sql: '"group"', type: 'text' },
    reason: { sql: 'reason', type: 'text' },
    refusedAt: { sql: 'refused_at', type: 'timestamptz' },
  },
};

const shown = ({ row, ...rest }: { readonly row: string }): z.input<typeof quarantinedRow> => ({ ...(rest as any), ...JSON.parse(row) });

export const quarantineQueries = [
  defineQuery({
    name: 'GetQuarantinedRow',
    summary: 'One refused row that waits to be mended',
    http: { method: 'GET', path: '/api/v1/projects/{project}/quarantined-rows/{id}' },
    permission: 'features.read',
    views: [],
    input: z.object({ project: resourceName, id: z.uuid() }),
    output: quarantinedRow,
    run: async ({ project, id }, { pool }) => {
      const { rows } = await pool.query(`select ${columns} from ${waiting} where project = $1 and id = $2`, [project, id]);
      if (rows.length === 0) throw notWaiting(project, [id]);
      return shown(rows[0]);
    },
  }),
  defineQuery({
    name: 'ListQuarantinedRows',
    summary: 'The refused rows of a project that wait to be mended, filtered and sorted',
    http: { method: 'GET', path: '/api/v1/projects/{project}/quarantined-rows' },
    permission: 'features.read',
    views: [],
    input: z.object({ project: resourceName, ...listInput(listing) }),
    output: z.object({ quarantinedRows: z.array(quarantinedRow), nextPageToken: z.string() }).meta({ id: 'QuarantinedRowList' }),
    run: async ({ project, ...request }, { pool }) => {
      const { rows, nextPageToken } = await listPage(pool, listing, project, request);
      return { quarantinedRows: rows.map(shown), nextPageToken };
    },
  }),
] as const;
