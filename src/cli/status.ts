import type { Command } from 'commander';
import type { Health } from '../api/health.js';
import type { PlatformStatus } from '../api/platform-status.js';
import { readConfig } from '../platform/config/index.js';
import { findConnection } from './connection.js';
import { CommandFailure, exitCodes } from './exit-codes.js';
import { unreachable } from './failures.js';
import type { Addresses, LocalRun } from './local-run.js';
import { globalOptions, print, printJson } from './output.js';
import { callRest } from './rest.js';
import { block, table } from './table.js';
import { viewRows } from './view-rows.js';

/** `tarl status`: where the platform is, whether it can do its work, and how far its views have come. */
export function status(program: Command): void {
  const command = program.command('status')
    .description('Show where the platform is, its versions, its views and what is wrong with it.')
    .addHelpText('after', '\nEnds with 5 when the platform is not up, or is not ready.\n\nExample:\n  $ tarl status --json | jq .ready');
  command.action(async () => {
    const { json, profile } = globalOptions(command);
    const found = await lookAt(profile);
    if (json) await printJson(found);
    else if (found.addresses) await print(readable(found.addresses, found));
    if (!found.ready) throw new CommandFailure(found.reason, exitCodes.unavailable);
  });
}

/** What is known of the platform; of one that is not up at most where it should be. */
type Found =
  | ({ readonly ready: true; readonly addresses: Addresses } & PlatformStatus)
  | { readonly ready: false; readonly reason: string; readonly addresses?: Addresses };

async function lookAt(profile?: string): Promise<Found> {
  let addresses: Addresses | undefined;
  try {
    const connection = await findConnection(readConfig(), profile);
    addresses = connection.addresses;
    const reason = whatIsWrong(await healthOf(connection));
    // Whoever has no health has no details either.
    if (reason !== undefined) return { ready: false, reason, addresses };
    const facts = await callRest(connection, { method: 'GET', path: '/api/v1/platform' }, {});
    return { ready: true, addresses, ...(facts as unknown as PlatformStatus) };
  } catch (error) {
    if (error instanceof CommandFailure && error.exitCode === exitCodes.unavailable) return { ready: false, reason: error.message, addresses };
    throw error;
  }
}

async function healthOf({ addresses: { rest } }: LocalRun): Promise<Health> {
  try {
    return (await (await fetch(`${rest}/health/ready`)).json()) as Health;
  } catch (error) {
    throw error instanceof SyntaxError ? new CommandFailure(`What answers at ${rest} is not TARL.`, exitCodes.unavailable, { cause: error }) : unreachable(rest, error);
  }
}

/** One sentence for all that keeps the platform from being ready. */
function whatIsWrong({ ready, checks }: Health): string | undefined {
  if (ready) return undefined;
  const reasons = Object.values(checks).flatMap(({ reason }) => reason ?? []);
  return `The platform is up but not ready: ${reasons.join('; ')}.`;
}

function readable(addresses: Addresses, found: Found): string {
  if (!found.ready) return block({ ...addresses });
  const { version, node, postgres, endOfLog, views } = found;
  return `${block({ ...addresses, tarl: version, node, postgres, 'event store': `log ends at ${endOfLog}` })}\n\n${table(viewRows(views))}`;
}
