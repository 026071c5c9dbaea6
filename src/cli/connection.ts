import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import type { Config } from '../platform/config/index.js';
import { CommandFailure, exitCodes } from './exit-codes.js';
import { misused } from './failures.js';
import { readLocalRun, type Addresses, type LocalRun } from './local-run.js';

const profiles = z.record(z.string(), z.strictObject({
  rest: z.string().optional(), grpc: z.string().optional(), graphql: z.string().optional(), key: z.string().optional(),
}));

/**
 * Where a command finds the platform and with which key it comes. For each fact the first of these that has it counts:
 * TARL_API_KEY; the profile; the platform running on the data folder; the usual ports. Never the argument list, which
 * every user of the machine can read.
 */
export async function findConnection(config: Config, profileName?: string): Promise<LocalRun> {
  const profile = await readProfile(profileName ?? config.profile, profileName !== undefined);
  const local = await readLocalRun(config.dataDir);
  const key = config.apiKey ?? profile.key ?? local?.key;
  if (!key)
    throw new CommandFailure(
      `No platform runs on ${config.dataDir}, and there is no key for another one: start it with \`tarl up\`, or set TARL_API_KEY or a profile.`,
      exitCodes.unavailable,
    );
  // It stands in a header, and what is wrong with that would be told with the key in it.
  if (!/^[\x20-\x7e]+$/.test(key)) throw misused('The API key holds characters that no key has: look at TARL_API_KEY or the profile.');
  return { addresses: { ...(local?.addresses ?? usualAddresses(config)), ...definedOf(profile) }, key };
}

async function readProfile(name: string, asked: boolean): Promise<z.output<typeof profiles>[string]> {
  const file = join(process.env.XDG_CONFIG_HOME ?? join(homedir(), '.config'), 'tarl/config.json');
  const known = existsSync(file) ? parseProfiles(file, await readFile(file, 'utf8')) : {};
  const found = known[name];
  if (!found && (asked || name !== 'default'))
    throw new CommandFailure(`There is no profile ${name} in ${file}; it has ${Object.keys(known).join(', ') || 'none'}.`, exitCodes.usage);
  return found ?? {};
}

function parseProfiles(file: string, text: string): z.output<typeof profiles> {
  try {
    return profiles.parse(JSON.parse(text));
  } catch (cause) {
    throw new CommandFailure(
      `${file} is not a list of profiles like {"default": {"rest": "http://…", "grpc": "host:port", "graphql": "http://…", "key": "…"}}.`,
      exitCodes.usage, { cause },
    );
  }
}

function usualAddresses({ host, httpPort, grpcPort, graphqlPort }: Config): Addresses {
  return { rest: `http://${host}:${httpPort}`, grpc: `${host}:${grpcPort}`, graphql: `http://${host}:${graphqlPort}/graphql` };
}

function definedOf({ rest, grpc, graphql }: Partial<Addresses>): Partial<Addresses> {
  return Object.fromEntries(Object.entries({ rest, grpc, graphql }).filter(([, address]) => address !== undefined));
}
