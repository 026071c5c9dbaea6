import { Refusal } from '../../domain/kit/index.js';
import { fieldsOf } from '../fields.js';
import type { Operation } from '../operations.js';

/** The field with the items of a query that gives pages; undefined for every other operation. */
export function listFieldOf({ kind, definition, inputFields }: Operation): string | undefined {
  if (kind !== 'query' || !('output' in definition) || !inputFields.some(({ name }) => name === 'pageToken')) return undefined;
  return fieldsOf(definition.output, 'output').find((field) => field.kind.kind === 'list')?.name;
}

/** A place in a list: so many items behind the start of the page that a token opens. */
interface Cursor {
  readonly pageToken: string;
  readonly skip: number;
}

const largestPage = 1000;

/** What a connection asks its query for. Cursors count from the page they were given out with, so any edge can be gone on from. */
export function pageRequest({ first, after }: { first?: number | null; after?: string | null }): { readonly pageSize: number; readonly pageToken: string; readonly cursor: Cursor } {
  const cursor = after === undefined || after === null ? { pageToken: '', skip: 0 } : parseCursor(after);
  const wanted = first ?? 100;
  if (wanted < 1 || wanted > largestPage) throw badArgument('first', `takes 1 to ${largestPage}`);
  return { pageSize: Math.min(wanted + cursor.skip, largestPage), pageToken: cursor.pageToken, cursor };
}

/** The answer of a list query as a Relay connection. */
export function connectionOf(items: readonly unknown[], nextPageToken: string, { pageToken, skip }: Cursor) {
  const nodes = items.slice(skip);
  const edges = nodes.map((node, index) => {
    const isLast = skip + index === items.length - 1;
    const cursor = isLast && nextPageToken !== '' ? { pageToken: nextPageToken, skip: 0 } : { pageToken, skip: skip + index + 1 };
    return { cursor: Buffer.from(JSON.stringify([cursor.pageToken, cursor.skip])).toString('base64url'), node };
  });
  return { edges, nodes, pageInfo: { hasNextPage: nextPageToken !== '', endCursor: edges.at(-1)?.cursor ?? null } };
}

function parseCursor(text: string): Cursor {
  const [, pageToken, skip] = /^\["([\w-]*)",(\d{1,3}|1000)\]$/.exec(Buffer.from(text, 'base64url').toString()) ?? [];
  if (pageToken === undefined || Number(skip) >= largestPage) throw badArgument('after', 'takes a cursor of an earlier answer');
  return { pageToken, skip: Number(skip) };
}

const badArgument = (field: string, description: string) => new Refusal('INVALID_ARGUMENT', `${field} ${description}`, { reason: 'INVALID_INPUT', fields: [{ field, description }] });
