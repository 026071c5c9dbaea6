import { ProtoReader } from '../../protobuf.js';

/** The name in a `StreamIdentifier`. */
export function readIdentifier(reader: ProtoReader): string {
  let name = '';
  while (reader.next()) {
    if (reader.field === 3) name = reader.text();
    else reader.skip();
  }
  return name;
}

/** The `options` with which most requests begin and end. */
export function optionsOf(bytes: Buffer): ProtoReader | undefined {
  const reader = new ProtoReader(bytes);
  let options: ProtoReader | undefined;
  while (reader.next()) {
    if (reader.field === 1) options = reader.message();
    else reader.skip();
  }
  return options;
}

/** Whether a message has this field. */
export function holdsField(reader: ProtoReader, field: number): boolean {
  while (reader.next()) {
    if (reader.field === field) return true;
    reader.skip();
  }
  return false;
}
