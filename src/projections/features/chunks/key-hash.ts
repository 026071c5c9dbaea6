/** FNV-1a over UTF-16 units, as Postgres' integer. `seed` is the hash of what comes before. */
export function hashOf(text: string, seed = 0x811c9dc5 | 0): number {
  let hash = seed;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return hash;
}

/** The number that stands for an entity in the chunks of a stream: with the stream in it, so that one index serves all streams. */
export const keyHash = (stream: string, key: string): number => hashOf(key, hashOf('\n', hashOf(stream)));
