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
 * The verbs of a domain: `CreateProject` is `create`. The first definition with a verb has it alone, later ones say
 * their noun too (`create-feature-service`), so that adding one never renames another.
 */
export function verbsOf({ commands, queries }: Domain): readonly Named[] {
  const all = [...commands.map((definition) => ({ definition, kind: 'command' as const })), ...queries.map((definition) => ({ definition, kind: 'query' as const }))];
  const taken = new Set<string>();
  return all.map(({ definition, kind }) => {
    const words = definition.name.replace(/([a-z0-9])([A-Z])/g, '$1-$2').toLowerCase();
    const [first = words] = words.split('-');
    const verb = taken.has(first) ? words : first;
    taken.add(first);
    return { verb, definition, kind };
  });
}
