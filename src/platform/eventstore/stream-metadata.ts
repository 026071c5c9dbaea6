import type { StreamMetadata } from './port.js';

/** What the server calls the metadata it acts upon. */
const names = { maxCount: '$maxCount', maxAge: '$maxAge', truncateBefore: '$tb', cacheControl: '$cacheControl', acl: '$acl' };
const aclNames = { readRoles: '$r', writeRoles: '$w', deleteRoles: '$d', metaReadRoles: '$mr', metaWriteRoles: '$mw' };

/** The stream that holds a stream's metadata. */
export function metadataStream(stream: string): string {
  return `$$${stream}`;
}

/** The type of the events in it. */
export const metadataType = '$metadata';

/** Metadata as the server keeps it. */
export function toServer(metadata: StreamMetadata): Record<string, unknown> {
  return withAcl(renamed(metadata, names), '$acl', aclNames);
}

/** Metadata as the port shows it. */
export function fromServer(metadata: Record<string, unknown>): StreamMetadata {
  return withAcl(renamed(metadata, inverse(names)), 'acl', inverse(aclNames));
}

function withAcl(metadata: Record<string, unknown>, key: string, keys: Record<string, string>): Record<string, unknown> {
  const acl = metadata[key];
  // An acl may also be the name of a default one.
  if (typeof acl !== 'object' || acl === null) return metadata;
  return { ...metadata, [key]: renamed(acl as Record<string, unknown>, keys) };
}

function renamed(record: Record<string, unknown>, keys: Record<string, string>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [keys[key] ?? key, value]));
}

function inverse(keys: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(keys).map(([ours, theirs]) => [theirs, ours]));
}
