import type { CommandBus, QueryBus } from '@nestjs/cqrs';
import type { Observer, Wire } from './observer.js';
import type { Operation, WireContext } from './operations.js';
import { refuseUnstorableText } from './text.js';

/** The way of every derived operation from its wire to the bus, and of its answer back. */
export class Dispatcher {
  constructor(
    private readonly commandBus: CommandBus,
    private readonly queryBus: QueryBus,
    private readonly observer: Observer,
  ) {}

  /** Runs an operation: counted, traced, its failure logged, the reading of its input included. Throws what the wire turns into its kind of error. */
  run(wire: Wire, operation: Operation, readInput: () => unknown, context: WireContext): Promise<unknown> {
    return this.observer.observe(wire, operation.name, context, async (traced) => {
      const input = readInput();
      refuseUnstorableText(input);
      const message = new operation.Message(input, traced);
      return operation.kind === 'query' ? this.queryBus.execute(message) : this.commandBus.execute(message);
    });
  }
}
