import { TOMBSTONE_REVISION } from '../wire/recorded-event.js';

/** What the server itself reads in a stream's metadata. */
export interface StreamMetadata {
  /** The metadata as it was written. */
  readonly json: Buffer;
  readonly maxCount?: number;
  readonly maxAgeMs?: number;
  readonly truncateBefore?: number;
  readonly acl?: StreamAcl;
}

/** Who may do what with a stream: names of users and groups. */
export interface StreamAcl {
  readonly read?: readonly string[];
  readonly write?: readonly string[];
  readonly delete?: readonly string[];
  readonly metaRead?: readonly string[];
  readonly metaWrite?: readonly string[];
}

export const NO_METADATA: StreamMetadata = { json: Buffer.from('{}') };

/** Of a metadata stream only the last event is ever read. */
export const METASTREAM_METADATA: StreamMetadata = { json: Buffer.from('{"$maxCount":1}'), maxCount: 1 };

export const isMetastream = (stream: string): boolean => stream.startsWith('$$');
export const metastreamOf = (stream: string): string => `$$${stream}`;
export const originalOf = (metastream: string): string => metastream.slice(2);

/** Whether metadata says that the stream was soft-deleted. */
export const isSoftDeleted = (metadata: StreamMetadata): boolean => (metadata.truncateBefore ?? 0) >= TOMBSTONE_REVISION;

/** What a soft delete writes. The number is 2^63-1, which a JavaScript number cannot hold. */
export const SOFT_DELETE_JSON = Buffer.from('{"$tb":9223372036854775807}');

/** Metadata JSON of a stream that is written again after a soft delete: as it was, but truncated before its first new event. */
export function undeletedJson(json: Buffer, firstRevision: number): Buffer {
  return Buffer.from(JSON.stringify({ ...parseObject(json), $tb: firstRevision }));
}

/** Reads metadata JSON. Text that is no JSON object says nothing, as if there were no metadata. */
export function parseMetadata(json: Buffer): StreamMetadata {
  const raw = parseObject(json);
  const acl = raw['$acl'];
  return {
    json,
    ...(isCount(raw['$maxCount']) && { maxCount: raw['$maxCount'] }),
    ...(isCount(raw['$maxAge']) && { maxAgeMs: raw['$maxAge'] * 1000 }),
    ...(isCount(raw['$tb']) && { truncateBefore: raw['$tb'] }),
    ...(typeof acl === 'object' && acl !== null && { acl: parseAcl(acl as Record<string, unknown>) }),
  };
}

const isCount = (value: unknown): value is number => typeof value === 'number' && value >= 0;

function parseAcl(raw: Record<string, unknown>): StreamAcl {
  const roles = (value: unknown): readonly string[] | undefined =>
    typeof value === 'string' ? [value] : Array.isArray(value) ? value.filter((role): role is string => typeof role === 'string') : undefined;
  const acl = { read: roles(raw['$r']), write: roles(raw['$w']), delete: roles(raw['$d']), metaRead: roles(raw['$mr']), metaWrite: roles(raw['$mw']) };
  return Object.fromEntries(Object.entries(acl).filter(([, names]) => names !== undefined));
}

function parseObject(json: Buffer): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(json.toString('utf8'));
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
  } catch (error) {
    if (error instanceof SyntaxError) return {};
    throw error;
  }
}
