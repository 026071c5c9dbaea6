import type { HttpRoute } from '../commands/kit/command.js';
import { pathFields } from '../api/rest/paths.js';
import { CommandFailure, exitCodes } from './exit-codes.js';
import { refused, unreachable, type RefusalSaid } from './failures.js';
import type { LocalRun } from './local-run.js';

/** Sends one request to a route of the API: the input's fields go where the route wants them. `onAnswer` hears the answer's headers. */
export async function callRest({ addresses, key }: LocalRun, { method, path }: HttpRoute, input: Readonly<Record<string, unknown>>, headers: Readonly<Record<string, string>> = {}, onAnswer: (headers: Headers) => void = () => undefined): Promise<Record<string, unknown>> {
  const named = pathFields(path);
  const url = new URL(addresses.rest + path.replace(/\{(\w+)\}/g, (_, name) => encodeURIComponent(String(input[name]))));
  const rest = Object.entries(input).filter(([name, value]) => value !== undefined && !named.includes(name));
  const inQuery = method === 'GET' || method === 'DELETE';
  if (inQuery) for (const [name, value] of rest) for (const text of queryTexts(value)) url.searchParams.append(name, text);
  const response = await reached(url, {
    method,
    headers: { authorization: `Bearer ${key}`, ...(!inQuery && { 'content-type': 'application/json' }), ...headers },
    ...(!inQuery && { body: JSON.stringify(Object.fromEntries(rest)) }),
  });
  onAnswer(response.headers);
  return answerOf(response, url);
}

/** Sends a request whose answer is read by the caller; a refusal becomes the command's failure. */
export async function answered(url: URL, init: RequestInit): Promise<Response> {
  const response = await reached(url, init);
  if (!response.ok) await answerOf(response, url);
  return response;
}

const reached = (url: URL, init: RequestInit): Promise<Response> =>
  fetch(url, init).catch((error: unknown) => {
    throw unreachable(url.origin, error);
  });

/** The body of an answer; a problem (RFC 9457) becomes the command's failure. */
async function answerOf(response: Response, url: URL): Promise<Record<string, unknown>> {
  const text = await response.text();
  let body: Record<string, unknown>;
  try {
    body = JSON.parse(text);
  } catch (cause) {
    throw new CommandFailure(`What answers at ${url.origin} is not TARL: it said ${response.status} and no JSON.`, exitCodes.unavailable, { cause });
  }
  if (response.ok) return body;
  throw refusedBy(body, response.status);
}

/** A problem (RFC 9457) as the command's failure. */
export function refusedBy({ code, detail, title, reason, fields, metadata, traceId }: Record<string, unknown>, status: number): CommandFailure {
  return refused({ code: String(code ?? status), message: String(detail ?? title ?? ''), ...({ reason, fields, metadata, traceId } as Partial<RefusalSaid>) });
}

const queryTexts = (value: unknown): string[] =>
  Array.isArray(value) ? value.flatMap(queryTexts) : [typeof value === 'object' ? JSON.stringify(value) : String(value)];
