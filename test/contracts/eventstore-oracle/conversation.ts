import { readFileSync } from 'node:fs';
import { brotliDecompressSync } from 'node:zlib';

/** An event as a conversation names it; its id is derived from the name. */
export interface NamedEvent {
  name: string;
  type?: string;
  data?: unknown;
  meta?: unknown;
  /** Fills the data with so many letters. */
  size?: number;
  /** Data in base64, for an event that is not JSON. */
  binary?: string;
}

/** One thing that the client is asked to do. `do` names it, the rest are its arguments. */
export interface Step {
  do: string;
  stream: string;
  group: string;
  as: string;
  events: NamedEvent[];
  expected?: 'any' | 'none' | 'exists' | number;
  from?: 'start' | 'end' | number;
  dir?: 'f' | 'b';
  max?: number;
  links?: boolean;
  user?: boolean;
  quiet?: boolean | number;
  meta: Record<string, unknown>;
  filter?: { on: 'stream' | 'type'; prefixes?: string[]; regex?: string; window?: number; checkpointInterval?: number };
  settings?: Record<string, unknown>;
  count?: number;
  wait?: number;
  marks?: boolean;
  buffer?: number;
  action: 'park' | 'retry' | 'skip' | 'stop' | 'unknown';
  stopAt?: number;
  name: string;
  ms: number;
  /** Steps to do at the same time, instead of one. */
  together?: Step[];
}

/** Steps, and what a real EventStoreDB 24.6 answered to each of them. */
export interface Conversation {
  name: string;
  steps: Step[];
  answers: unknown[];
}

/** The recorded conversations of one file. */
export function recorded(file: 'handmade' | 'generated'): Conversation[] {
  const compressed = readFileSync(new URL(`./recorded/${file}.json.br`, import.meta.url));
  return JSON.parse(brotliDecompressSync(compressed).toString('utf8')) as Conversation[];
}
