import { CommandHandler, QueryHandler } from '@nestjs/cqrs';
import { Inject, type Type } from '@nestjs/common';
import type { Domain } from '../catalogue.js';
import type { AnyAction } from '../commands/kit/action.js';
import type { AnyCommand, HttpRoute, RequestContext } from '../commands/kit/command.js';
import type { AnyQuery } from '../projections/kit/query.js';
import type { Core } from './core.js';
import { withWords } from './field-words.js';
import { fieldsOf, type Field } from './fields.js';

/** What travels with a request over any wire. */
export type WireContext = RequestContext & {
  readonly minPosition?: string;
  /** True when the trace is one of the request's own; `takeSpan` is true for the first to ask, who then is the span that the traceparent names. */
  readonly beginsTrace?: boolean;
  takeSpan?(): boolean;
};

/** One command, action or query as the wires serve it. */
export interface Operation {
  readonly kind: 'command' | 'action' | 'query';
  /** `CreateProject`, the rpc's name. */
  readonly name: string;
  /** `createProject`, the name of methods, operations and mutations. */
  readonly camelName: string;
  readonly summary: string;
  readonly domain: Domain;
  readonly http: HttpRoute;
  readonly definition: AnyDefinition;
  readonly inputFields: readonly Field[];
  /** The class of its messages on the bus. */
  readonly Message: new (input: unknown, context: WireContext) => object;
  /** The provider that hands those messages to the core. */
  readonly Handler: Type;
}

type AnyDefinition = AnyCommand | AnyAction | AnyQuery;

/** Under which the core, the operations and the settings are found in Nest's container. */
export const CORE = Symbol('core');
export const OPERATIONS = Symbol('operations');
export const SETTINGS = Symbol('settings');

/** Everything the catalogue offers, in its order. */
export const operationsOf = (catalogue: readonly Domain[]): readonly Operation[] =>
  catalogue.flatMap((domain) => [
    ...domain.commands.map((command) => operationOf('command', command, domain)),
    ...(domain.actions ?? []).map((action) => operationOf('action', action, domain)),
    ...domain.queries.map((query) => operationOf('query', query, domain)),
  ]);

function operationOf(kind: Operation['kind'], definition: AnyDefinition, domain: Domain): Operation {
  const { name, summary, http, input } = definition;
  const Message = messageClass(name);
  const answers: Record<Operation['kind'], (core: Core, message: Message) => Promise<unknown>> = {
    command: (core, { input, context }) => core.execute(definition as AnyCommand, input, context),
    action: (core, { input, context }) => core.act(definition as AnyAction, input, context),
    query: (core, { input, context }) => core.ask(definition as AnyQuery, input, context),
  };
  const Handler = handlerClass(`${name}Handler`, answers[kind]);
  (kind === 'query' ? QueryHandler(Message) : CommandHandler(Message))(Handler);
  const camelName = name[0]!.toLowerCase() + name.slice(1);
  return { kind, name, camelName, summary, domain, http, definition, inputFields: fieldsOf(input, 'input').map(withWords), Message, Handler };
}

interface Message {
  readonly input: unknown;
  readonly context: WireContext;
}

const messageClass = (name: string): Operation['Message'] =>
  ({
    [name]: class implements Message {
      constructor(
        readonly input: unknown,
        readonly context: WireContext,
      ) {}
    },
  })[name]!;

function handlerClass(name: string, answer: (core: Core, message: Message) => Promise<unknown>): Type {
  const Handler = {
    [name]: class {
      constructor(readonly core: Core) {}
      execute(message: Message): Promise<unknown> {
        return answer(this.core, message);
      }
    },
  }[name]!;
  Inject(CORE)(Handler, undefined, 0);
  return Handler;
}
