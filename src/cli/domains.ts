import type { Command } from 'commander';
import { catalogue } from '../catalogue.js';
import { addDerived } from './derived/commands.js';
import { verbsOf } from './derived/verbs.js';
import { features } from './features/index.js';

/** Commands that handle data rather than one request, by domain; they come before the derived ones. */
const byHand: Readonly<Record<string, (group: Command) => void>> = { features };

/** A group for each domain of the catalogue, with a command for each of its commands and queries. */
export function domains(program: Command): void {
  for (const domain of catalogue) {
    const [first = domain.name, ...more] = verbsOf(domain).map(({ verb }) => verb);
    const group = program.command(domain.name).description(`${[first[0]!.toUpperCase() + first.slice(1), ...more].join(', ')}: ${domain.name} on the platform.`);
    group.helpCommand(false);
    byHand[domain.name]?.(group);
    addDerived(group, domain);
  }
}
