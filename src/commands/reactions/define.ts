import type { EventDefinition, EventOf } from '../../domain/kit/index.js';
import { decodeStored } from '../../platform/eventstore/decode-stored.js';
import type { StoredEvent } from '../../platform/eventstore/port.js';
import type { InnerCommand } from '../kit/command.js';

/** What an event leads to, in another stream or another domain: when this has happened, that is ordered. */
export interface Reaction {
  /** In kebab-case: `retire-groups-of-archived-project`. The ids of its commands come from it, so it never changes. */
  readonly name: string;
  readonly eventTypes: readonly string[];
  /** Events recorded earlier are not reacted to: ISO 8601, the moment the reaction was written. */
  readonly since: Date;
  /** The commands that an event leads to, the same ones whenever it is asked. */
  react(event: StoredEvent): readonly Order[];
}

/** One command to be issued. */
export interface Order {
  readonly command: InnerCommand;
  readonly input: unknown;
}

/** Declares a reaction. `react` is pure: the event alone decides, so that a repeat orders the same again. */
export function defineReaction<const Definitions extends readonly EventDefinition[]>(definition: {
  name: string;
  since: string;
  events: Definitions;
  react: (event: EventOf<Definitions[number]>) => readonly Order[];
}): Reaction {
  const { name, since, events, react } = definition;
  const byType = new Map(events.map((event) => [event.type, event]));
  return {
    name,
    since: new Date(since),
    eventTypes: [...byType.keys()],
    react: (event) => react(decodeStored(byType.get(event.type)!, event) as EventOf<Definitions[number]>),
  };
}
