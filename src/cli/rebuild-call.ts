import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import type { RebuildProgress } from '../api/core.js';
import { refused, unreachable, type RefusalSaid } from './failures.js';
import type { LocalRun } from './local-run.js';

/** Asks the platform to rebuild a view, and gives the progress it tells. Ends when the view is switched. */
export async function* rebuildOver({ addresses, key }: LocalRun, view: string): AsyncGenerator<RebuildProgress> {
  const url = `${addresses.rest}/api/v1/projections/${encodeURIComponent(view)}:rebuild`;
  const response = await fetch(url, { method: 'POST', headers: { authorization: `Bearer ${key}` } }).catch((error: unknown) => {
    throw unreachable(addresses.rest, error);
  });
  if (!response.ok || !response.body) throw refused(problemOf(await response.text(), response.status));
  for await (const line of createInterface({ input: Readable.fromWeb(response.body as never) })) {
    const said = JSON.parse(line) as RebuildProgress | { error: RefusalSaid };
    if ('error' in said) throw refused(said.error);
    yield said;
  }
}

function problemOf(text: string, status: number): RefusalSaid {
  const { code = `${status}`, detail = text } = JSON.parse(text) as { code?: string; detail?: string };
  return { code, message: detail };
}
