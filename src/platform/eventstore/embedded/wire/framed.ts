/**
 * Several gRPC messages, each already behind its five-byte header, to be sent with one write.
 *
 * grpc-js asks a serializer for a Buffer and then does three things with it: takes its
 * `byteLength`, allocates five bytes more, and calls `copy(target, 5)`. This object answers
 * those calls, but its messages bring their own headers and so start at 0. One write of a whole
 * block of events costs as little as one write of a single event.
 */
export class FramedMessages {
  private bytes = takeBuffer();
  /** Bytes of all messages, headers included. */
  size = 0;

  get byteLength(): number {
    return this.size - FRAME_HEADER;
  }

  /** Copies framed messages in; theirs may then be used for something else. */
  add(frames: Buffer): void {
    const size = this.size + frames.length;
    if (size > this.bytes.length) this.grow(size);
    frames.copy(this.bytes, this.size);
    this.size = size;
  }

  /** Keeps the first bytes, which may end within a message, and gives the others away; too few to be sent by themselves stay. */
  splitAt(size: number): FramedMessages | undefined {
    if (this.size - size < FRAME_HEADER) return undefined;
    const rest = new FramedMessages();
    rest.add(this.bytes.subarray(size, this.size));
    this.size = size;
    return rest;
  }

  /** Copied once, it gives its room back: a client may take its time to read the copy. */
  copy(target: Buffer): void {
    this.bytes.copy(target, 0, 0, this.size);
    this.release();
  }

  /** Where it is not sent. */
  release(): void {
    giveBack(this.bytes);
    this.bytes = NOTHING;
    this.size = 0;
  }

  private grow(size: number): void {
    const larger = Buffer.allocUnsafeSlow(2 * size);
    this.bytes.copy(larger, 0, 0, this.size);
    giveBack(this.bytes);
    this.bytes = larger;
  }
}

/** What most chunks fit into: a chunk is written at 32 KiB, and the block that fills it may bring 16 more. */
const BUFFER_BYTES = 64 * 1024;
/** Used again and again: so many bytes a second would otherwise keep the garbage collector busy. */
const buffers: Buffer[] = [];
const MOST_BUFFERS = 16;
const NOTHING = Buffer.alloc(0);

const takeBuffer = (): Buffer => buffers.pop() ?? Buffer.allocUnsafeSlow(BUFFER_BYTES);

function giveBack(buffer: Buffer): void {
  if (buffer.length === BUFFER_BYTES && buffers.length < MOST_BUFFERS) buffers.push(buffer);
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
