import type { z } from 'zod';
import type { Projections } from '../../api/core.js';
import type { EventStore } from '../../platform/eventstore/port.js';
import type { HttpRoute, Permission, RequestContext } from './command.js';

/** What an action may use. */
export interface ActionContext {
  readonly eventStore: EventStore;
  readonly projections: Projections;
  readonly request: RequestContext;
}

/**
 * Something that an operator asks of the platform itself. It changes no fact of a domain, so there is no decision, and it
 * answers with more than a position; otherwise it is described once and served on every wire, like a command.
 */
export interface ActionDefinition<Name extends string = string, Input extends z.ZodObject = z.ZodObject, Output extends z.ZodObject = z.ZodObject> {
  readonly name: Name;
  readonly summary: string;
  readonly input: Input;
  readonly output: Output;
  readonly permission: Permission;
  readonly http: HttpRoute;
  run(input: z.output<Input>, context: ActionContext): Promise<z.input<Output>>;
}
export type AnyAction = ActionDefinition;

/** Declares an action. */
export const defineAction = <const Name extends string, Input extends z.ZodObject, Output extends z.ZodObject>(
  definition: ActionDefinition<Name, Input, Output>,
): ActionDefinition<Name, Input, Output> => definition;
