import type { Pool } from 'pg';
import type { z } from 'zod';
import type { Caller, HttpRoute, Permission } from '../../commands/kit/command.js';
import type { Projections } from '../../api/core.js';
import type { Contents } from '../../platform/contents.js';
import type { EventStore } from '../../platform/eventstore/port.js';

/** What a query may use. Its views have reached the caller's minimum position before it runs. */
export interface QueryContext {
  /** For reads alone: a statement whose connection has died is sent again. */
  readonly pool: Pool;
  readonly eventStore: EventStore;
  /** The rows of saved training sets. */
  readonly trainingSets: Contents;
  /** The read models as operators see them. */
  readonly projections: Projections;
  readonly caller: Caller;
  readonly signal?: AbortSignal;
}

/** What can be known: described once, served over REST, gRPC and GraphQL from this. */
export interface QueryDefinition<Name extends string = string, Input extends z.ZodObject = z.ZodObject, Output extends z.ZodObject = z.ZodObject> {
  /** `GetProject`, `ListProjects`: the rpc's name; GraphQL drops the verb `Get` or `List`. */
  readonly name: Name;
  readonly summary: string;
  readonly input: Input;
  /** Give it (and objects within it) `.meta({ id: 'Project' })`: that is the type's name on every wire. */
  readonly output: Output;
  readonly permission: Permission;
  readonly http: HttpRoute;
  /** The names of the views it reads, which must reach the minimum position first. */
  readonly views: readonly string[];
  run(input: z.output<Input>, context: QueryContext): Promise<z.input<Output>>;
}
export type AnyQuery = QueryDefinition;

/** Declares a query. */
export const defineQuery = <const Name extends string, Input extends z.ZodObject, Output extends z.ZodObject>(
  definition: QueryDefinition<Name, Input, Output>,
): QueryDefinition<Name, Input, Output> => definition;
