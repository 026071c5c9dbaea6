import type { DomainEvent, EventDefinition, EventOf } from './events.js';

/** One function per event type; leaving one out does not compile. */
export type Folding<State, Event extends DomainEvent> = {
  readonly [Type in Event['type']]: (state: State, data: Extract<Event, { type: Type }>['data']) => State;
};

/** How the events of one kind of stream add up to a state. */
export interface Decider<State = any, Event extends DomainEvent = any> {
  /** The first part of the stream's name, before the `-`. */
  readonly category: string;
  readonly events: readonly EventDefinition[];
  readonly initialState: State;
  readonly evolve: (state: State, event: Event) => State;
}

/** Joins a table of folds into a decider. */
export function defineDecider<State, const Definitions extends readonly EventDefinition[]>(definition: {
  category: string;
  events: Definitions;
  initialState: State;
  on: Folding<NoInfer<State>, EventOf<Definitions[number]>>;
}): Decider<State, EventOf<Definitions[number]>> {
  const { category, events, initialState, on } = definition;
  const folds = on as Record<string, (state: State, data: unknown) => State>;
  return { category, events, initialState, evolve: (state, event) => folds[event.type]!(state, event.data) };
}

/** What a decision is told besides its input and its state: it never asks a clock or a dice itself. */
export interface DecisionContext {
  /** The moment of the command, ISO 8601 in UTC. */
  readonly now: string;
  readonly actor: string;
}

/** The pure heart of a command: new facts, none when it has already taken effect, or a thrown refusal. */
export type Decide<Input, State, Event extends DomainEvent> = (input: Input, state: State, context: DecisionContext) => readonly Event[];
