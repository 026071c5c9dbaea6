/** A media range of an `Accept` header: `text/csv`, any of a kind or any at all, and how much it is wanted, 0 to 1. */
interface Range {
  readonly type: string;
  readonly quality: number;
}

/**
 * The media type that a caller likes best of those on offer (RFC 9110, 12.5.1); undefined when it likes none. The most specific
 * range that names a type says how much that type is wanted. Of equals the caller's first one wins, then the first on offer.
 */
export function bestOf<Type extends string>(accept: string | undefined, offered: readonly Type[]): Type | undefined {
  if (accept === undefined || accept.trim() === '') return offered[0];
  const ranges = rangesOf(accept);
  let best: { type: Type; quality: number; at: number } | undefined;
  for (const type of offered) {
    const at = indexFor(type, ranges);
    const quality = ranges[at]?.quality ?? 0;
    if (quality > (best?.quality ?? 0) || (best && quality === best.quality && at < best.at)) best = { type, quality, at };
  }
  return best?.type;
}

/** Where the most specific range that names a type stands; -1 when none does. */
function indexFor(type: string, ranges: readonly Range[]): number {
  const names = [type, `${type.slice(0, type.indexOf('/'))}/*`, '*/*'];
  return names.reduce((found, name) => (found >= 0 ? found : ranges.findIndex((range) => range.type === name)), -1);
}

/** The ranges of a header in its order. Parameters besides q tell apart nothing that is offered here; what is no range is left out. */
function rangesOf(accept: string): Range[] {
  return partsBetween(',', accept).flatMap((entry) => {
    const [type = '', ...parameters] = partsBetween(';', entry.toLowerCase());
    const given = parameters.find((parameter) => /^q\s*=/.test(parameter));
    const quality = given === undefined ? 1 : Number(given.slice(given.indexOf('=') + 1).trim() || NaN);
    return /^[^\s/]+\/[^\s/]+$/.test(type) && quality >= 0 && quality <= 1 ? [{ type, quality }] : [];
  });
}

/** The parts of a text between signs that stand in no quotes. */
const partsBetween = (sign: ',' | ';', text: string): string[] => (text.match(sign === ',' ? /(?:[^,"]|"(?:\\.|[^"\\])*")+/g : /(?:[^;"]|"(?:\\.|[^"\\])*")+/g) ?? []).map((part) => part.trim());
