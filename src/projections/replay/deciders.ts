import type { AnyCommand } from '../../commands/kit/command.js';
import { ownerKeys } from '../../domain/access/state.js';
import { expectationBreach } from '../../domain/features/monitoring/breaches/breach.js';
import { job } from '../../domain/jobs/state.js';
import type { Decider } from '../../domain/kit/index.js';
import { metricsCheckpoint } from '../../domain/metrics/state.js';
import { skippedEvents } from '../../domain/projections/state.js';

/** The deciders of all streams that have one: those of the domains' commands, and those of the platform itself. */
export const decidersOf = (domains: readonly { readonly commands: readonly AnyCommand[] }[]): readonly Decider[] =>
  [...new Set<Decider>([...domains.flatMap(({ commands }) => commands.map(({ decider }) => decider)), ownerKeys as Decider, skippedEvents as Decider, job as Decider, expectationBreach as Decider, metricsCheckpoint as Decider])];
