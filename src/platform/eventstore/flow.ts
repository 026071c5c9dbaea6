import type { Transform } from 'node:stream';
import type { Position, StoredEvent } from './port.js';
import type { ReadAnswer } from './read-answer.js';
import { EventFromLog } from './stored-event.js';

/** A read or a subscription of the client. Both are Transforms, though the published types hide it. */
export type ClientStream = { cancel(): Promise<void> } | { unsubscribe(): Promise<void> };

/** What has come in since it was last asked for. */
export interface Gathered {
  events: StoredEvent[];
  /** How many events came, those not wanted included. */
  count: number;
  /** The last place in the log that the server has reached with us. */
  position: Position | undefined;
  caughtUp: boolean;
}

/** No word from the server for longer than the reader would wait. */
export class Silence extends Error {}

/** What a flow keeps, and how much of it at most. */
export interface FlowOptions {
  readonly wanted: (event: StoredEvent) => boolean;
  readonly maxEvents: number;
  readonly maxBytes?: number;
  /** Takes nothing in while the reader is busy with what it was handed. */
  readonly onDemand?: boolean;
  /** Ends the flow. */
  readonly signal: AbortSignal;
  readonly onCancelFailure: (error: unknown) => void;
}

/**
 * Gathers what one call of the client brings in, so that its reader waits once per batch and not once per event.
 *
 * It takes the place of the client's own conversion, which parses every event's JSON at once and forgets which
 * events shared a network packet. While the reader is behind, no more is taken from the client's stream, which
 * stops reading from the network, and so the server.
 */
export class EventFlow {
  private gathered = nothing();
  private heard = false;
  private bytes = 0;
  private takeMore: (() => void) | undefined;
  private awaited = false;
  private ended = false;
  private failure: unknown;
  private wake: (() => void) | undefined;
  private readonly maxBytes: number;

  constructor(
    private readonly stream: ClientStream,
    private readonly options: FlowOptions,
  ) {
    this.maxBytes = options.maxBytes ?? 16 * 1024 * 1024;
    options.signal.addEventListener('abort', this.cancel, { once: true });
    const transform = stream as unknown as Transform;
    transform._transform = (answer: ReadAnswer, _encoding, next) => this.take(answer, next);
    transform.once('finish', () => this.end());
    transform.once('close', () => this.end());
    // A failure may also come after the reader has left; without a listener it would end the process.
    transform.on('error', (error) => this.end(error));
  }

  /**
   * Waits until something is there and hands all of it over; `undefined` at the end. Throws what broke the call
   * once everything before it is handed over, and Silence after `silenceMs` without a word.
   */
  async next(silenceMs: number | undefined): Promise<Gathered | undefined> {
    const news = this.heard || this.ended ? undefined : this.news(silenceMs);
    this.awaited = true;
    if (this.options.onDemand) this.goOn();
    await news;
    this.awaited = false;
    if (this.heard) return this.handOver();
    if (this.failure !== undefined) throw this.failure;
    return undefined;
  }

  /** Ends the call on the server too. A call left open would hold on to its share of the connection's window. */
  readonly cancel = (): void => {
    this.end();
    this.options.signal.removeEventListener('abort', this.cancel);
    const cancelled = 'cancel' in this.stream ? this.stream.cancel() : this.stream.unsubscribe();
    cancelled.catch(this.options.onCancelFailure);
  };

  private take(answer: ReadAnswer, next: () => void): void {
    if (this.ended) return next();
    if (this.options.onDemand && !this.awaited) return void (this.takeMore = () => this.take(answer, next));
    try {
      this.understand(answer);
    } catch (error) {
      // Thrown on, it would end the process: a stream of gRPC has nobody to catch it.
      this.end(error);
    }
    this.wake?.();
    if (this.gathered.events.length >= this.options.maxEvents || this.bytes >= this.maxBytes) this.takeMore = next;
    else next();
  }

  private understand(answer: ReadAnswer): void {
    const { gathered } = this;
    if (answer instanceof EventFromLog) this.keep(answer);
    else if (answer === 'caught up') gathered.caughtUp = true;
    else if (answer === 'stream not found') this.end();
    else if (answer) gathered.position = answer.checkpoint;
    this.heard = true;
  }

  private keep(event: EventFromLog): void {
    const { gathered } = this;
    gathered.count++;
    gathered.position = event.position;
    if (!this.options.wanted(event)) return;
    gathered.events.push(event);
    this.bytes += event.dataSize;
  }

  private handOver(): Gathered {
    const { gathered } = this;
    this.gathered = nothing();
    this.bytes = 0;
    this.heard = false;
    if (!this.options.onDemand) this.goOn();
    return gathered;
  }

  private goOn(): void {
    const { takeMore } = this;
    this.takeMore = undefined;
    takeMore?.();
  }

  private end(error?: unknown): void {
    this.failure ??= this.ended ? undefined : error;
    this.ended = true;
    this.wake?.();
  }

  /** Wakes on the next turn of the loop: by then all events of one network packet have come in. */
  private news(silenceMs: number | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (done: () => void) => {
        this.wake = undefined;
        clearTimeout(timer);
        done();
      };
      const timer = silenceMs === undefined ? undefined : setTimeout(() => settle(() => reject(new Silence())), silenceMs);
      this.wake = () => settle(() => setImmediate(resolve));
    });
  }
}

function nothing(): Gathered {
  return { events: [], count: 0, position: undefined, caughtUp: false };
}
