import { promisify } from 'node:util';
import { deflate, gzip } from 'node:zlib';
import { status, type Metadata, type ServerInterceptingCall, type ServerInterceptor } from '@grpc/grpc-js';
import { Refusal } from '../../domain/kit/index.js';
import { grpcError } from './status.js';

/** A message whose bytes are fewer is sent as it is: packing would cost more than it saves. */
const leastBytes = 1024;
const frameHeader = 5;

const packers = { gzip: promisify<Buffer, Buffer>(gzip), deflate: promisify<Buffer, Buffer>(deflate) };
type Encoding = keyof typeof packers;

/** What grpc-js keeps to itself in the call at the bottom of its interceptors; a test says when a release has changed it. */
interface BaseCall {
  readonly incomingEncoding: string;
  serializeMessage(message: unknown): Buffer;
  decompressMessage(message: Buffer, encoding: string): Promise<Buffer>;
  sendMetadata(metadata: Metadata): void;
  sendMessage(message: unknown, sent: () => void): void;
}

/**
 * Answers in the encoding of the request, as gRPC's compression asks of a server; grpc-js itself reads packed messages but
 * writes none. It also answers INTERNAL to a message that does not unpack, which is the caller's mistake.
 */
export const compression: ServerInterceptor = (_method, call) => {
  const base = call as unknown as BaseCall;
  const { incomingEncoding: encoding } = base;
  if (encoding === 'gzip' || encoding === 'deflate') {
    refuseWhatDoesNotUnpack(base);
    pack(base, encoding);
  }
  return call as ServerInterceptingCall;
};

function refuseWhatDoesNotUnpack(base: BaseCall): void {
  const unpack = base.decompressMessage.bind(base);
  base.decompressMessage = (message, encoding) =>
    unpack(message, encoding).catch((error: { code: number }) => {
      if (error.code !== status.INTERNAL) throw error;
      throw grpcError(new Refusal('INVALID_ARGUMENT', `The message does not unpack as ${encoding}`, { reason: 'INVALID_MESSAGE' }), '');
    });
}

function pack(base: BaseCall, encoding: Encoding): void {
  const sendMetadata = base.sendMetadata.bind(base);
  base.sendMetadata = (metadata) => {
    const encoded = metadata.clone();
    encoded.set('grpc-encoding', encoding);
    sendMetadata(encoded);
  };
  const serialize = base.serializeMessage.bind(base);
  const sendMessage = base.sendMessage.bind(base);
  base.sendMessage = (message, sent) => {
    let plain: Buffer;
    try {
      plain = serialize(message);
    } catch {
      // What cannot be written is told by grpc-js.
      return sendMessage(message, sent);
    }
    const send = (framed: Buffer) => {
      base.serializeMessage = () => framed;
      sendMessage(message, sent);
    };
    if (plain.length < frameHeader + leastBytes) return send(plain);
    packers[encoding](plain.subarray(frameHeader)).then(
      (packed) => send(packed.length < plain.length - frameHeader ? frameOf(packed) : plain),
      () => send(plain),
    );
  };
}

/** The message behind the flag that says it is packed, and its length. */
function frameOf(packed: Buffer): Buffer {
  const framed = Buffer.allocUnsafe(frameHeader + packed.length);
  framed[0] = 1;
  framed.writeUInt32BE(packed.length, 1);
  framed.set(packed, frameHeader);
  return framed;
}
