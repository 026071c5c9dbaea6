import type { Metadata, ServiceError } from '@grpc/grpc-js';
import type { IncomingHttpHeaders, OutgoingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import { Refusal } from '../../domain/kit/index.js';
import type { HeaderReader } from '../context.js';
import type { UnaryCall } from './call.js';
import type { GuardedUnary } from './guard.js';
import { grpcError } from './status.js';
import { Undecodable } from './undecodable.js';

/** How a call is answered on HTTP/2 itself, and how many bytes one message may have. */
export interface DirectAnswering {
  readonly rpc: GuardedUnary;
  readonly mostBytes: number;
  /** How long the caller waits; Infinity for as long as it takes. */
  readonly timeoutMs: number;
}

const frameHeader = 5;
const longestTimer = 2 ** 31 - 1;
const head = { ':status': 200, 'content-type': 'application/grpc+proto' };
const answerHead = { ...head, 'grpc-accept-encoding': 'identity,deflate,gzip', 'grpc-encoding': 'identity' };
const withTrailers = { waitForTrailers: true };
const withoutMessage = { endStream: true };
const okTrailers = { 'grpc-status': 0, 'grpc-message': 'OK' };

/** As of which the listeners of a stream find their call: one property instead of a closure each. */
const callOf = Symbol('call');
type CallStream = ServerHttp2Stream & { [callOf]?: DirectCall };

/** One unary call on a stream of HTTP/2, with as much of grpc-js's unary call as handlers ask of it. */
export class DirectCall implements UnaryCall<unknown> {
  /** The message, once the call has begun. */
  request: unknown;
  cancelled = false;
  readonly metadata = this;
  readonly header: HeaderReader = (name) => this.headers[name] as string | undefined;
  private readonly deadline: number;
  private timer: NodeJS.Timeout | undefined;
  private readonly chunks: Buffer[] = [];
  private received = 0;
  private begun = false;
  private over = false;
  private sent: OutgoingHttpHeaders | undefined;
  private whenCancelled: (() => void)[] | undefined;

  constructor(
    private readonly stream: CallStream,
    private readonly headers: IncomingHttpHeaders,
    private readonly answering: DirectAnswering,
  ) {
    const { timeoutMs } = answering;
    this.deadline = timeoutMs === Infinity ? Infinity : Date.now() + timeoutMs;
    if (timeoutMs <= longestTimer) this.timer = setTimeout(() => this.timeIsUp(), timeoutMs);
    stream[callOf] = this;
    stream.on('data', takeChunk).on('end', beginCall).on('wantTrailers', sendTrailers).on('close', letGo).on('error', ignore);
  }

  getDeadline(): number {
    return this.deadline;
  }

  /** Goes out with the answer. */
  sendMetadata(metadata: Metadata): void {
    this.sent = metadata.toHttp2Headers();
  }

  on(_event: 'cancelled', listener: () => void): void {
    (this.whenCancelled ??= []).push(listener);
  }

  take(chunk: Buffer): void {
    // What comes after the message is read and forgotten, so that the connection goes on.
    if (this.begun) return;
    this.received += chunk.length;
    if (this.received > frameHeader + this.answering.mostBytes) return this.begin(new Undecodable(tooLarge(this.answering.mostBytes)));
    this.chunks.push(chunk);
  }

  /** The caller has said everything. */
  ended(): void {
    if (!this.begun) this.begin(this.readMessage());
  }

  private readMessage(): unknown {
    const frame = this.chunks.length === 1 ? this.chunks[0]! : Buffer.concat(this.chunks);
    const length = frame.length < frameHeader ? Infinity : frame.readUInt32BE(1);
    if (frame.length !== frameHeader + length) return new Undecodable(notOne());
    // Packed, though no packing is named.
    if (frame[0] !== 0) return new Undecodable();
    return this.answering.rpc.requestDeserialize(frame.subarray(frameHeader));
  }

  private begin(request: unknown): void {
    this.begun = true;
    this.chunks.length = 0;
    if (this.over) return;
    this.request = request;
    void this.answering.rpc.handle(this, (error, answer) => (error ? this.refuse(error) : this.answer(answer)));
  }

  private answer(answer: unknown): void {
    const frame = this.framed(this.answering.rpc.responseSerialize(answer));
    if (!this.end()) return;
    this.stream.respond(this.sent ? { ...answerHead, ...this.sent } : answerHead, withTrailers);
    this.stream.end(frame);
  }

  private framed(message: Buffer): Buffer {
    if (message.length > this.answering.mostBytes) throw tooLarge(this.answering.mostBytes);
    const frame = Buffer.allocUnsafe(frameHeader + message.length);
    frame[0] = 0;
    frame.writeUInt32BE(message.length, 1);
    frame.set(message, frameHeader);
    return frame;
  }

  private refuse({ code, details, metadata }: ServiceError): void {
    if (!this.end()) return;
    this.stream.respond({ ...head, 'grpc-status': code, 'grpc-message': encodeURI(details.toWellFormed()), ...metadata?.toHttp2Headers() }, withoutMessage);
  }

  /** Whether the call is still to be answered, which it is not any more afterwards. A stream may be destroyed before it says so. */
  private end(): boolean {
    if (this.over || this.stream.destroyed || this.stream.closed) return false;
    this.over = true;
    clearTimeout(this.timer);
    return true;
  }

  private timeIsUp(): void {
    this.refuse(grpcError(new Refusal('DEADLINE_EXCEEDED', 'The time is up', { reason: 'DEADLINE_EXCEEDED' }), ''));
    this.cancel();
  }

  /** The stream is closed: where that comes before the answer, the caller has gone. */
  closed(): void {
    if (this.over) return;
    this.over = true;
    clearTimeout(this.timer);
    this.cancel();
  }

  private cancel(): void {
    this.cancelled = true;
    for (const listener of this.whenCancelled ?? []) listener();
  }
}

function takeChunk(this: CallStream, chunk: Buffer): void {
  this[callOf]?.take(chunk);
}

function beginCall(this: CallStream): void {
  this[callOf]?.ended();
}

function sendTrailers(this: CallStream): void {
  this.sendTrailers(okTrailers);
}

/** The stream outlives its call by far (see `letGoWhenClosed`), so it keeps nothing of it; its listeners are everybody's. */
function letGo(this: CallStream): void {
  this[callOf]!.closed();
  this[callOf] = undefined;
}

/** Whatever breaks a stream closes it too. */
const ignore = () => undefined;

const tooLarge = (most: number) => new Refusal('RESOURCE_EXHAUSTED', `A message takes at most ${most} bytes`, { reason: 'MESSAGE_TOO_LARGE' });
const notOne = () => new Refusal('UNIMPLEMENTED', 'This rpc takes one message, and a whole one', { reason: 'NOT_ONE_MESSAGE' });
