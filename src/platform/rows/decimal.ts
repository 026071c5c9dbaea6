/** The double that is nearest to `whole` times ten to the power of minus `scale`; without places behind the point all its digits. */
export const decimalOf = (whole: bigint, scale: number): number | bigint => (scale === 0 ? whole : Number(`${whole}e${-scale}`));

/** Big-endian, in two's complement. */
export const signedOf = (bytes: Uint8Array): bigint => BigInt.asIntN(bytes.length * 8, BigInt(`0x0${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')}`));

/** A time of nanoseconds in microseconds: finer digits are cut off, before 1970 too. */
export const microsecondsOf = (ns: bigint): number => Number((ns - (((ns % 1000n) + 1000n) % 1000n)) / 1000n);
