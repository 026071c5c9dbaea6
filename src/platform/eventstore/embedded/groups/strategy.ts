import type { Strategy } from './config.js';
import type { Consumer } from './consumer.js';
import type { Message } from './message.js';
import { Pinned } from './pinned.js';

/** Chooses the consumer that a message goes to. It is told of every consumer that comes and goes. */
export interface Chooser {
  added(consumer: Consumer): void;
  removed(consumer: Consumer): void;
  /** undefined when none that may have the message has room. */
  choose(message: Message): Consumer | undefined;
}

export const STRATEGIES: readonly Strategy[] = ['DispatchToSingle', 'RoundRobin', 'Pinned', 'PinnedByCorrelation'];

export function chooser(strategy: Strategy): Chooser {
  switch (strategy) {
    case 'RoundRobin':
      return new Turns('one message each');
    case 'DispatchToSingle':
      return new Turns('until it is full');
    case 'Pinned':
    case 'PinnedByCorrelation':
      return new Pinned();
  }
}

/** Consumers in a row: whoever had their turn, or has no room, goes to the end of it. */
class Turns implements Chooser {
  private readonly row: Consumer[] = [];

  constructor(private readonly turn: 'one message each' | 'until it is full') {}

  added(consumer: Consumer): void {
    this.row.push(consumer);
  }

  removed(consumer: Consumer): void {
    this.row.splice(this.row.indexOf(consumer), 1);
  }

  choose(): Consumer | undefined {
    for (let i = 0; i < this.row.length; i++) {
      const first = this.row[0]!;
      if (!first.hasRoom || this.turn === 'one message each') this.row.push(this.row.shift()!);
      if (first.hasRoom) return first;
    }
    return undefined;
  }
}
