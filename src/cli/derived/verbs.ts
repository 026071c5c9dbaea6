import type { Domain } from '../../catalogue.js';
import type { AnyCommand } from '../../commands/kit/command.js';
import type { AnyQuery } from '../../projections/kit/query.js';

/** A command or query under the word it has on the command line. */
export interface Named {
  readonly verb: string;
  readonly definition: AnyCommand | AnyQuery;
  readonly kind: 'command' | 'query';
}

/**
 * The words of a domain on the command line: `CreateFeatureGroup` is `create`, `ChangeFeatureGroupTtl` is `change-ttl`.
 * The noun that the first command names goes without saying. Of two definitions that would share a word the first has
 * it, so that adding one never renames another; the second keeps its whole name.
 */
export function verbsOf({ commands, queries }: Domain): readonly Named[] {
  const all = [...commands.map((definition) => ({ definition, kind: 'command' as const })), ...queries.map((definition) => ({ definition, kind: 'query' as const }))];
  const noun = all.length > 0 ? partsOf(all[0]!.definition.name).rest : '';
  const taken = new Set<string>();
  return all.map(({ definition, kind }) => {
    const { verb, rest } = partsOf(definition.name);
    const short = [verb, unsaid(rest, noun)].filter(Boolean).join('-');
    const word = taken.has(short) ? `${verb}-${rest}` : short;
    taken.add(word);
    return { verb: word, definition, kind };
  });
}

function partsOf(name: string): { verb: string; rest: string } {
  const [verb = '', ...rest] = name.replace(/([a-z0-9])([A-Z])/g, '$1-$2').toLowerCase().split('-');
  return { verb, rest: rest.join('-') };
}

/** What is left to say of `feature-groups` or `feature-group-ttl` where `feature-group` goes without saying. */
function unsaid(rest: string, noun: string): string {
  const one = rest.replace(/s$/, '');
  if (one === noun || noun.startsWith(`${one}-`)) return '';
  return rest.startsWith(`${noun}-`) ? rest.slice(noun.length + 1) : rest;
}
