import { ProtoReader, bytesField, message, varintField } from './protobuf.js';

/** The bytes of `UUID { string }` around a 36-character id. */
export const STRING_UUID_SIZE = 38;

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Reads a UUID message, in either of its forms, as lower-case text. Throws RangeError when it is none. */
export function readUuid(reader: ProtoReader): string {
  let id = '';
  while (reader.next()) {
    if (reader.field === 2) id = reader.text();
    else if (reader.field === 1) id = readStructured(reader.message());
    else reader.skip();
  }
  if (UUID.test(id)) return id;
  const lower = id.toLowerCase();
  if (!UUID.test(lower)) throw new RangeError(`"${id}" is not a UUID`);
  return lower;
}

function readStructured(reader: ProtoReader): string {
  let most = 0n;
  let least = 0n;
  while (reader.next()) {
    if (reader.field === 1) most = reader.signed();
    else if (reader.field === 2) least = reader.signed();
    else reader.skip();
  }
  return uuidOfHalves(most, least);
}

/** The text of a UUID that comes as two signed numbers of 64 bits. */
export function uuidOfHalves(most: bigint, least: bigint): string {
  const hex = BigInt.asUintN(64, most).toString(16).padStart(16, '0') + BigInt.asUintN(64, least).toString(16).padStart(16, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/** `UUID { structured }` of an id in text form. */
export function structuredUuid(id: string): Buffer {
  const hex = id.replaceAll('-', '');
  const half = (text: string) => BigInt.asIntN(64, BigInt(`0x${text}`));
  return bytesField(1, message(varintField(1, half(hex.slice(0, 16))), varintField(2, half(hex.slice(16)))));
}
