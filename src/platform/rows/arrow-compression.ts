import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { compressionRegistry, CompressionType } from 'apache-arrow';

/** Reads buffers that are compressed, as pandas writes Feather files unless it is told otherwise. */
export function takeCompressed(): void {
  compressionRegistry.set(CompressionType.ZSTD, { encode: (data) => zstdCompressSync(data), decode: (data) => zstdDecompressSync(data, { maxOutputLength: mostBytes }) });
  compressionRegistry.set(CompressionType.LZ4_FRAME, { decode: lz4Frames });
}

/** No buffer of a record batch is as large; a few bytes could stand for many more. */
const mostBytes = 2 ** 30;
const magic = 0x184d2204;
const mostOfBlock = (descriptor: number): number => 1 << (8 + 2 * ((descriptor >> 4) & 7));

/** LZ4 frames, one after another; https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md. Checksums are passed over: what is damaged mostly shows by its lengths. */
export function lz4Frames(data: Uint8Array): Uint8Array {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const frames: Uint8Array[] = [];
  for (let at = 0; at < data.length; ) {
    if (view.getUint32(at, true) !== magic) throw new Error('this is no LZ4 frame');
    const [flags, descriptor] = [data[at + 4]!, data[at + 5]!];
    at += 7 + (flags & 8 ? 8 : 0) + (flags & 1 ? 4 : 0);
    const output = new Growing();
    for (let size = view.getUint32(at, true); size !== 0; size = view.getUint32(at, true)) {
      const [from, length] = [at + 4, size & 0x7fffffff];
      if (from + length > data.length) throw new Error('an LZ4 block breaks off');
      // A block may repeat what stands in those before it.
      if (size >>> 31) output.take(data.subarray(from, from + length));
      else output.unfold(data.subarray(from, from + length), mostOfBlock(descriptor));
      at = from + length + (flags & 16 ? 4 : 0);
    }
    at += 4 + (flags & 4 ? 4 : 0);
    frames.push(output.bytes());
  }
  return frames.length === 1 ? frames[0]! : Buffer.concat(frames);
}

/** Bytes that become more. */
class Growing {
  private held = new Uint8Array(65_536);
  private length = 0;

  bytes = (): Uint8Array => this.held.subarray(0, this.length);

  take(bytes: Uint8Array): void {
    this.room(bytes.length);
    this.held.set(bytes, this.length);
    this.length += bytes.length;
  }

  /** Adds what a compressed block holds: texts, each followed by a repetition of what stands some way before. */
  unfold(block: Uint8Array, most: number): void {
    const end = this.length + most;
    let at = 0;
    const long = (short: number): number => {
      if (short < 15) return short;
      let sum = 15;
      for (let byte = 255; byte === 255; sum += byte) byte = byteAt(block, at++);
      return sum;
    };
    while (at < block.length) {
      const token = block[at++]!;
      const literals = long(token >> 4);
      if (at + literals > block.length || this.length + literals > end) throw new Error('an LZ4 block is damaged');
      this.take(block.subarray(at, at + literals));
      at += literals;
      if (at === block.length) return;
      const back = byteAt(block, at++) | (byteAt(block, at++) << 8);
      const repeated = long(token & 15) + 4;
      if (back === 0 || back > this.length || this.length + repeated > end) throw new Error('an LZ4 block is damaged');
      this.repeat(back, repeated);
    }
  }

  /** What is repeated may reach into the repetition. */
  private repeat(back: number, count: number): void {
    this.room(count);
    const from = this.length - back;
    if (back >= count) this.held.copyWithin(this.length, from, from + count);
    else for (let at = 0; at < count; at++) this.held[this.length + at] = this.held[from + at]!;
    this.length += count;
  }

  private room(more: number): void {
    if (this.length + more <= this.held.length) return;
    const larger = new Uint8Array(Math.max(this.held.length * 2, this.length + more));
    larger.set(this.bytes());
    this.held = larger;
  }
}

function byteAt(block: Uint8Array, at: number): number {
  const byte = block[at];
  if (byte === undefined) throw new Error('an LZ4 block breaks off');
  return byte;
}
