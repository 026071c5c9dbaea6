import { createHash } from 'node:crypto';
import type { Pool } from 'pg';
import { z } from 'zod';
import { Refusal } from '../../../domain/kit/index.js';
import { rowsAt } from '../as-of.js';
import { keyOfPageToken, otherQuestion, pageInput, pageTokenAfter } from '../paging.js';
import { describeFilter, describeOrder } from './describe.js';
import { parseFilter } from './parse.js';
import { whereOf, type Filterable } from './where.js';

/** The fields that a filtered and sorted list takes; they say which of its columns they know. */
export const listInput = (listing: Pick<Listing, 'fields' | 'order'>) => ({
  filter: z.string().max(2048).default('').describe(describeFilter(listing)),
  orderBy: z.string().max(64).default('').describe(describeOrder(listing.order)),
  ...pageInput,
});

export interface ListRequest {
  readonly filter: string;
  readonly orderBy: string;
  readonly pageSize: number;
  readonly pageToken: string;
  /** The position as of which the view's history is listed. */
  readonly asOf?: string;
}

/** A table that is listed within a project. */
export interface Listing extends Filterable {
  readonly table: string;
  /** The columns of an answer, as SQL. */
  readonly columns: string;
  /** The column that names a row within its project. */
  readonly name: string;
  /** The column of the project whose rows they are; `project` where it is left out. */
  readonly within?: string;
  /** By which fields it may be sorted: their SQL and its type. */
  readonly order: Readonly<Record<string, { readonly sql: string; readonly type: 'text' | 'timestamptz' }>>;
}

/**
 * One page. A page begins after the last row of the one before, by its place in the order and its name, not by a
 * number of rows: so rows that come and go meanwhile neither repeat nor hide others.
 */
export async function listPage(pool: Pool, { table, columns, name, within = 'project', order, ...filterable }: Listing, project: string, request: ListRequest): Promise<{ rows: any[]; nextPageToken: string }> {
  const { sql, type, direction } = orderOf(request.orderBy, order, name);
  const asked = createHash('sha256').update(JSON.stringify([request.filter, request.orderBy, ...(request.asOf === undefined ? [] : [request.asOf])])).digest('base64url').slice(0, 16);
  const parameters: unknown[] = [project];
  const conditions = [`${within} = $1`, ...whereOf(parseFilter(request.filter), filterable, parameters)];
  const after = keyOfPageToken(request.pageToken, 3);
  if (after) {
    if (after[0] !== asked) throw otherQuestion();
    const [place, last] = [parameters.push(after[1]), parameters.push(after[2])];
    conditions.push(`(${sql}, ${name}) ${direction === 'asc' ? '>' : '<'} ($${place}::${type}, $${last}::text)`);
  }
  const limit = parameters.push(request.pageSize + 1);
  const text = `select ${columns}, (${sql})::text as "place", ${name} as "last" from ${rowsAt(table, request.asOf)} where ${conditions.join(' and ')} order by ${sql} ${direction}, ${name} ${direction} limit $${limit}`;
  const found = (await pool.query(text, parameters)).rows;
  const page = found.slice(0, request.pageSize);
  const next = found.length > request.pageSize ? [asked, page.at(-1).place, page.at(-1).last] : undefined;
  return { rows: page.map(({ place: _place, last: _last, ...row }) => row), nextPageToken: pageTokenAfter(next) };
}

/** The one row of this name; undefined where there is none. */
export async function rowNamed(pool: Pool, { table, columns, name }: Pick<Listing, 'table' | 'columns' | 'name'>, project: string, named: string, asOf?: string): Promise<any> {
  const { rows } = await pool.query(`select ${columns} from ${rowsAt(table, asOf)} where project = $1 and ${name} = $2`, [project, named]);
  return rows[0];
}

function orderOf(orderBy: string, order: Listing['order'], name: string): { sql: string; type: string; direction: 'asc' | 'desc' } {
  if (orderBy.trim() === '') return { sql: name, type: 'text', direction: 'asc' };
  const [, field = '', direction = 'asc'] = /^\s*(\w+)(?:\s+(asc|desc))?\s*$/.exec(orderBy) ?? [];
  if (Object.hasOwn(order, field)) return { ...order[field]!, direction: direction as 'asc' | 'desc' };
  const description = `takes one of ${Object.keys(order).join(', ')}, with desc behind it for the other direction`;
  throw new Refusal('INVALID_ARGUMENT', `orderBy ${description}`, { reason: 'INVALID_ORDER', fields: [{ field: 'orderBy', description }] });
}
