import type { Command } from 'commander';
import { catalogue } from '../catalogue.js';
import { addDerived } from './derived/commands.js';
import { features } from './features/index.js';
import { quarantine } from './quarantine/index.js';
import { trainingSets } from './training-sets/index.js';

/** Commands that handle data rather than one request, by domain; they come before the derived ones. */
const byHand: Readonly<Record<string, (group: Command) => void>> = { features, quarantine, 'training-sets': trainingSets };

/** Domains whose group is all written by hand. */
const apart: readonly string[] = ['projections'];

/** A group for each domain of the catalogue, with a command for each of its commands and queries. */
export function domains(program: Command): void {
  for (const domain of catalogue.filter(({ name }) => !apart.includes(name))) {
    const group = program.command(domain.name).description(`${domain.summary}.`).helpCommand(false);
    byHand[domain.name]?.(group);
    addDerived(group, domain);
  }
}
