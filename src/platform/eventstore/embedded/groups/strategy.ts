import { crc32 } from 'node:zlib';
import type { Strategy } from './config.js';
import type { Consumer } from './consumer.js';
import type { Message } from './message.js';

/** Chooses the consumer that a message goes to; undefined when none that may have it has room. */
export type Chooser = (consumers: readonly Consumer[], message: Message) => Consumer | undefined;

export function chooser(strategy: Strategy): Chooser {
  switch (strategy) {
    case 'RoundRobin':
      return roundRobin();
    case 'DispatchToSingle':
      return (consumers) => consumers.find((consumer) => consumer.hasRoom);
    case 'Pinned':
    case 'PinnedByCorrelation':
      return pinned;
  }
}

function roundRobin(): Chooser {
  let turn = 0;
  return (consumers) => {
    for (let i = 0; i < consumers.length; i++) {
      const consumer = consumers[(turn + i) % consumers.length]!;
      if (!consumer.hasRoom) continue;
      turn = (turn + i + 1) % consumers.length;
      return consumer;
    }
    return undefined;
  };
}

/** Events of one stream (or correlation) go to one consumer as long as the consumers stay the same. */
const pinned: Chooser = (consumers, { pin }) => {
  const consumer = consumers[crc32(pin) % consumers.length];
  return consumer?.hasRoom ? consumer : undefined;
};
