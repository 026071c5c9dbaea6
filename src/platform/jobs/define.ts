import { z } from 'zod';

/** Work beside the requests: tried until it succeeds or is given up, at least once, and changing things by commands alone. */
export interface JobDefinition<Name extends string = string, Input extends z.ZodObject = z.ZodObject> {
  /** A verb and its object in kebab-case, as operators see it: `clear-old-tables`. Each job has a queue of its own. */
  readonly name: Name;
  readonly summary: string;
  /** What the job is told. It stands readable in the queue, so it names secrets at most and never holds one. */
  readonly input: Input;
  readonly retry: Retry;
  /** How long one try may take; then its signal aborts and the try counts as failed. */
  readonly timeoutMs: number;
  /** How many run side by side in one process. */
  readonly concurrency: number;
  /** Among the waiting jobs of this kind: 0 goes first, larger numbers stand behind. */
  readonly priority?: number;
  readonly schedule?: Schedule<z.input<Input>>;
  run(input: z.output<Input>, run: JobRun): Promise<void>;
}
export type AnyJob = JobDefinition;

/** How often a job is tried, and the wait between two tries: always the same, or doubling. */
export interface Retry {
  readonly attempts: number;
  readonly backoff: { readonly type: 'fixed' | 'exponential'; readonly delayMs: number };
}

/** When a job comes by itself: a cron line of five fields (or six, with seconds in front) in a time zone of the IANA list. */
export interface Schedule<Input> {
  readonly cron: string;
  readonly timeZone: string;
  readonly input: Input;
}

/** One try of a job, and the one way in which it may change anything. */
export interface JobRun {
  readonly id: string;
  /** 1 for the first. */
  readonly attempt: number;
  /** The moment of the schedule that brought it; when it was put in its queue where somebody asked for it. */
  readonly due: Date;
  /** Aborts when the try has taken too long, or when the process stops and will wait no longer. */
  readonly signal: AbortSignal;
  /** Issues a command. The same command with the same input takes effect once for this job, however often it is tried. */
  issue(command: { readonly name: string }, input: unknown): Promise<unknown>;
}

const name = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;
const secret = /secret|password|passphrase|credential|token|api_?key|private_?key/i;

/** Declares a job. Refuses at once what would only show when it runs: a wrong time zone, an input that would hold a secret. */
export function defineJob<const Name extends string, Input extends z.ZodObject>(definition: JobDefinition<Name, Input>): JobDefinition<Name, Input> {
  if (!name.test(definition.name)) throw new Error(`A job's name is a verb and its object in kebab-case, not ${definition.name}`);
  const field = Object.keys(definition.input.shape).find((key) => secret.test(key));
  if (field !== undefined) throw new Error(`The job ${definition.name} takes ${field}: a queue is readable, so a job is told where a secret is and never the secret`);
  if (definition.schedule) {
    definition.input.parse(definition.schedule.input);
    new Intl.DateTimeFormat('en', { timeZone: definition.schedule.timeZone });
  }
  return definition;
}
