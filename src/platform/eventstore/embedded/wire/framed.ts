/**
 * Several gRPC messages, each already behind its five-byte header, to be sent with one write.
 *
 * grpc-js asks a serializer for a Buffer and then does three things with it: takes its
 * `byteLength`, allocates five bytes more, and calls `copy(target, 5)`. This object answers
 * those calls, but its parts bring their own headers and so start at 0. One write of a whole
 * block of events costs as little as one write of a single event.
 */
export class FramedMessages {
  private readonly parts: Buffer[] = [];
  /** Bytes in all parts, headers included. */
  size = 0;

  get byteLength(): number {
    return this.size - FRAME_HEADER;
  }

  add(frames: Buffer): void {
    this.parts.push(frames);
    this.size += frames.length;
  }

  copy(target: Buffer): number {
    let at = 0;
    for (const part of this.parts) at += part.copy(target, at);
    return at;
  }
}

/** Bytes before each message on the wire: a flag and the length. */
export const FRAME_HEADER = 5;

/** One message behind its header. */
export function frame(messageBytes: Buffer): Buffer {
  const out = Buffer.allocUnsafe(FRAME_HEADER + messageBytes.length);
  writeFrameHeader(out, 0, messageBytes.length);
  out.set(messageBytes, FRAME_HEADER);
  return out;
}

export function writeFrameHeader(target: Buffer, at: number, length: number): number {
  target[at] = 0;
  target.writeUInt32BE(length, at + 1);
  return at + FRAME_HEADER;
}
