import type { z } from 'zod';
import { Refusal, type Decide, type Decider, type DomainEvent, type EventDefinition } from '../../domain/kit/index.js';

/** `<domain>.<verb>`, what a caller must hold: `projects.write`. */
export type Permission = `${string}.${string}`;

/** Where a definition is found over REST; `{name}` stands for a field of the input. */
export interface HttpRoute {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly path: `/api/v1/${string}`;
}

/** What may be asked: described once, served over REST, gRPC and GraphQL from this. */
export interface CommandDefinition<Name extends string = string, Input extends z.ZodObject = z.ZodObject, State = any, Event extends DomainEvent = any> {
  /** An order in PascalCase; the rpc's name, and in camelCase the operation's and the mutation's. */
  readonly name: Name;
  readonly summary: string;
  readonly input: Input;
  readonly permission: Permission;
  readonly http: HttpRoute;
  readonly decider: Decider<State>;
  readonly stream: (input: z.output<Input>) => string;
  readonly decide: Decide<z.output<Input>, State, Event>;
  /** What must be true of other streams first; it is looked at once, and may change while the command runs. */
  readonly requires?: (input: z.output<Input>) => readonly Requirement[];
  /** Where the events go when that is not the stream decided on, because it is too long to be folded: they are appended whatever it holds. */
  readonly into?: Elsewhere<Event>;
  /** True when the command mostly meets an absent stream: it then appends first and reads only when that fails. */
  readonly creates?: boolean;
  /** False only for the commands that make and end projects, for those that only take something from its readers, and for notes of what happened before the end: all others need an active one. */
  readonly inActiveProject?: boolean;
}
/** Something that must be true of another stream; `check` throws a Refusal where it is not. */
export interface Requirement<State = any> {
  readonly decider: Decider<State>;
  readonly stream: string;
  readonly check: (state: State) => void;
}

/** Streams whose states are judged together, once all are known. */
export function together(streams: readonly Omit<Requirement, 'check'>[], judge: (states: readonly any[]) => void): Requirement[] {
  const states: unknown[] = [];
  let known = 0;
  return streams.map((stream, at) => ({
    ...stream,
    check: (state) => {
      states[at] = state;
      if (++known === streams.length) judge(states);
    },
  }));
}

/** Requirements of which one is enough. Where none holds, what is there but does not fit says more than what is not there. */
export function oneOf(...requirements: readonly Requirement[]): Requirement[] {
  const failed: unknown[] = [];
  return requirements.map((requirement, at) => ({
    ...requirement,
    check: (state) => {
      try {
        requirement.check(state);
      } catch (error) {
        failed[at] = error;
        const all = failed.filter((one) => one !== undefined);
        if (all.length === requirements.length) throw all.find((one) => !(one instanceof Refusal) || one.code !== 'NOT_FOUND') ?? all[0];
      }
    },
  }));
}

/** The stream of another kind that takes a command's events, all of one decision together. */
export interface Elsewhere<Event extends DomainEvent = any> {
  readonly events: readonly EventDefinition<Event['type']>[];
  readonly stream: (event: Event) => string;
}
export type AnyCommand = CommandDefinition;

/** A command that the platform issues itself and no wire serves. */
export type InnerCommand<Name extends string = string, Input extends z.ZodObject = z.ZodObject, State = any, Event extends DomainEvent = any> = Omit<CommandDefinition<Name, Input, State, Event>, 'http' | 'summary'>;

/** Declares a command that no wire serves. */
export const defineInnerCommand = <const Name extends string, Input extends z.ZodObject, State, Event extends DomainEvent>(
  definition: InnerCommand<Name, Input, State, Event>,
): InnerCommand => definition as unknown as InnerCommand;

/** Declares a command; the compiler checks that decision, state and input fit each other. */
export const defineCommand = <const Name extends string, Input extends z.ZodObject, State, Event extends DomainEvent>(
  definition: CommandDefinition<Name, Input, State, Event> & { readonly decider: Decider<State, Event> },
): CommandDefinition<Name, Input, State, Event> => definition;

/** Declares a command that decides on one stream and appends to another. */
export const defineCommandInto = <const Name extends string, Input extends z.ZodObject, State, Event extends DomainEvent>(
  definition: CommandDefinition<Name, Input, State, Event> & { readonly into: Elsewhere<Event> },
): CommandDefinition<Name, Input, State, Event> => definition;

/** Who is asking, as established by the guard. */
export interface Caller {
  /** The principal as it stands in every event, such as `key:3f2a`. */
  readonly actor: string;
  /** Whether this caller holds a permission on a project; without a project, on everything. */
  may(permission: Permission, project?: string): boolean;
}

/** The etags of which a resource must have one, as `If-Match` has them; `*` for any, as long as the resource exists. */
export type IfMatch = '*' | readonly string[];

/** What travels with one request whichever wire it came by. */
export interface RequestContext {
  readonly caller: Caller;
  /** A key of the caller's choice under which a repeat of the request is recognised. */
  readonly idempotencyKey?: string;
  /** Which etags the resource may have for the command to take effect. */
  readonly ifMatch?: IfMatch;
  readonly correlationId?: string;
  /** The event that led to the request, where it was no one from outside. */
  readonly causationId?: string;
  readonly traceparent?: string;
  /** When the caller stops waiting, in milliseconds since the epoch. */
  readonly deadline?: number;
  readonly signal?: AbortSignal;
  /** Hears which views of a query have how many keys standing still, for the answer's header. */
  noteParked?(counts: ReadonlyMap<string, number>): void;
  /** Hears the position as of which a query is answered, for the answer's header. */
  noteAsOf?(position: string): void;
}

/** The same answer for every command. */
export interface CommandReply {
  readonly commandId: string;
  /** The position of the command's last event; of the stream's last event when nothing changed. */
  readonly position: string;
  /** The version of the resource after the command, for `If-Match`. */
  readonly etag: string;
  /** False when the command had already taken effect. */
  readonly changed: boolean;
}
