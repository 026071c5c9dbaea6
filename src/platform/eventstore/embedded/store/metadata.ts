/** What the server itself reads in a stream's metadata. */
export interface StreamMetadata {
  /** The metadata as it was written. */
  readonly json: Buffer;
  readonly maxCount?: number;
  readonly maxAgeMs?: number;
  readonly truncateBefore?: number;
  readonly isSoftDeleted?: boolean;
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
export const isSoftDeleted = (metadata: StreamMetadata): boolean => metadata.isSoftDeleted === true;

/** What a soft delete writes. The number is 2^63-1, which a JavaScript number cannot hold. */
export const SOFT_DELETE_JSON = Buffer.from('{"$tb":9223372036854775807}');

/** Metadata JSON of a stream that is written again after a soft delete: as it was, but truncated before its first new event. undefined where it was no JSON object. */
export function undeletedJson(json: Buffer, firstRevision: number): Buffer | undefined {
  const object = parseObject(json, (number) => (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON(number));
  return object && Buffer.from(JSON.stringify({ ...object, $tb: firstRevision }));
}

/** The largest number that metadata can hold, which is also what a soft delete truncates before. */
const MOST = 2n ** 63n - 1n;
/** The longest time, in seconds: of 100 ns each there are not more. */
const LONGEST_S = MOST / 10_000_000n;
const ROLES = { $r: 'read', $w: 'write', $d: 'delete', $mr: 'metaRead', $mw: 'metaWrite' } as const satisfies Record<string, keyof StreamAcl>;

/**
 * Reads metadata JSON as the real server does: all of it says nothing, as if there were no metadata, when it is no JSON
 * object or anything that the server looks at is not of its type. Counts and ages that are not positive say nothing by themselves.
 */
export function parseMetadata(json: Buffer): StreamMetadata {
  const raw = parseObject(json, wholeOrNot);
  if (raw === undefined || !isWellFormed(raw)) return { json };
  const { $maxCount: maxCount, $maxAge: maxAge, $tb: truncateBefore, $acl: acl } = raw;
  return {
    json,
    ...(maxCount !== undefined && maxCount > 0n && { maxCount: Number(maxCount) }),
    ...(maxAge !== undefined && maxAge > 0n && { maxAgeMs: Number(maxAge) * 1000 }),
    ...(truncateBefore !== undefined && truncateBefore >= 0n && { truncateBefore: Number(truncateBefore), isSoftDeleted: truncateBefore === MOST }),
    ...(acl !== undefined && { acl: parseAcl(acl) }),
  };
}

/** What an event in a metadata stream says: only JSON says anything. */
export const metadataOf = (data: Buffer, isJson: boolean): StreamMetadata => (isJson ? parseMetadata(data) : { json: data });

type RawAcl = Partial<Record<keyof typeof ROLES, string | string[]>>;

/** What the server looks at in metadata. Whole numbers are bigints here, others are not. */
interface RawMetadata {
  readonly $maxCount?: bigint;
  readonly $maxAge?: bigint;
  readonly $tb?: bigint;
  readonly $acl?: RawAcl;
}

function isWellFormed(raw: Record<string, unknown>): raw is RawMetadata & Record<string, unknown> {
  const isWhole = (value: unknown, most = MOST) => value === undefined || (typeof value === 'bigint' && value <= most && value >= -most);
  return (
    isWhole(raw['$maxCount']) && isWhole(raw['$tb']) && isWhole(raw['$maxAge'], LONGEST_S) && isWhole(raw['$cacheControl'], LONGEST_S) &&
    ['undefined', 'boolean'].includes(typeof raw['$tmp']) &&
    (raw['$acl'] === undefined || isAcl(raw['$acl']))
  );
}

function isAcl(acl: unknown): acl is RawAcl {
  const areRoles = (value: unknown) => typeof value === 'string' || (Array.isArray(value) && value.every((role) => typeof role === 'string'));
  return isObject(acl) && Object.entries(acl).every(([key, value]) => key in ROLES && areRoles(value));
}

function parseAcl(raw: RawAcl): StreamAcl {
  return Object.fromEntries(Object.entries(raw).map(([key, roles]) => [ROLES[key as keyof RawAcl], typeof roles === 'string' ? [roles] : roles]));
}

const wholeOrNot = (number: string): unknown => (/^-?\d+$/.test(number) ? BigInt(number) : Number(number));

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);

/** The JSON object of these bytes, its numbers made of how they are written. */
function parseObject(json: Buffer, numberOf: (text: string) => unknown): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(json.toString('utf8'), (_key, part: unknown, context?: { source: string }) => (typeof part === 'number' ? numberOf(context!.source) : part));
    return isObject(value) ? value : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
