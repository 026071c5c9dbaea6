import type { ClientBase } from 'pg';
import { isPassing, Refusal } from '../../domain/kit/index.js';
import { backoffMs, pause } from '../../platform/eventstore/backoff.js';
import { UndecodableEvent } from '../../platform/eventstore/decode-stored.js';
import type { EventStore, Position, StoredEvent } from '../../platform/eventstore/port.js';
import { movePlace, noteFailure, readPlace } from './checkpoint.js';
import type { Order, Reaction } from './define.js';

/** What every reaction works with. */
export interface Surroundings {
  readonly eventStore: EventStore;
  /** Issues the nth command that an event leads to; doing it again changes nothing. */
  readonly issue: (reaction: Reaction, event: StoredEvent, order: Order, index: number) => Promise<unknown>;
  readonly log: { info(facts: object, message: string): void; warn(facts: object, message: string): void };
}

/** A place in the log that no command goes with is written this seldom. */
const idleWrite_ms = 5_000;
const longestPause_ms = 15_000;

/** Somebody else has moved the reaction on; what is stored counts. */
class PlaceMoved extends Error {}

/** Reacts to the log from the stored place on, until the signal aborts. What fails is tried again until it succeeds. */
export async function follow(reaction: Reaction, client: ClientBase, surroundings: Surroundings, signal: AbortSignal): Promise<void> {
  for (let failures = 0; !signal.aborted; ) {
    const lane = new ReactionLane(reaction, client, surroundings);
    try {
      await lane.run(signal);
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof PlaceMoved) continue;
      failures = lane.hasMoved ? 0 : failures + 1;
      surroundings.log.warn({ err: error, reaction: reaction.name }, 'The reaction stopped and is taken up again');
      await noteFailure(client, reaction.name, error instanceof Error ? error.message : String(error));
      await pause(backoffMs(failures + 1, longestPause_ms), signal);
    }
  }
}

/** One reaction on its way along the log. */
class ReactionLane {
  hasMoved = false;
  private place: Position | undefined;
  private writtenAt = performance.now();

  constructor(
    private readonly reaction: Reaction,
    private readonly client: ClientBase,
    private readonly surroundings: Surroundings,
  ) {}

  async run(signal: AbortSignal): Promise<void> {
    const { eventTypes, since, name } = this.reaction;
    const types = new Set(eventTypes);
    const from = (this.place = await readPlace(this.client, name));
    for await (const { events, position } of this.surroundings.eventStore.subscribe({ from, filter: { eventTypePrefixes: eventTypes }, signal, maxBuffer: 256 })) {
      for (const event of events) {
        if (signal.aborted) return;
        if (!types.has(event.type) || event.recordedAt < since) continue;
        await this.react(event);
        await this.moveTo(event.position);
      }
      if (performance.now() - this.writtenAt >= idleWrite_ms) await this.moveTo(position);
    }
  }

  /** A considered no is an answer, and the reaction goes on; whatever else fails is tried again, so that the effect is not lost. */
  private async react(event: StoredEvent): Promise<void> {
    const { reaction, surroundings } = this;
    for (const [index, order] of reaction.react(event).entries()) {
      try {
        await surroundings.issue(reaction, event, order, index);
      } catch (error) {
        if (!(error instanceof Refusal) || isPassing(error) || error instanceof UndecodableEvent) throw error;
        surroundings.log.warn({ reaction: reaction.name, event: event.id, command: order.command.name, code: error.code, reason: error.details.reason }, 'The command of a reaction was refused');
      }
    }
  }

  private async moveTo(position: Position): Promise<void> {
    if (!(await movePlace(this.client, this.reaction.name, this.place!, position))) throw new PlaceMoved();
    this.place = position;
    this.hasMoved = true;
    this.writtenAt = performance.now();
  }
}
