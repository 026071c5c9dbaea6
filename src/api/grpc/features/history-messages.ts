import { formatPosition } from '../../../platform/eventstore/port.js';
import type { FeatureType } from '../../../domain/features/values.js';
import type { AsOfAnswer } from '../../../projections/features/history/as-of.js';
import type { HistoricalAnswer } from '../../../projections/features/history/historical.js';
import type { TrainingSet } from '../../../projections/features/history/training-set.js';
import { readColumn, type ColumnMessage } from './columns.js';
import { readTimestamp } from './json-values.js';
import { ProtoReader } from './proto-reader.js';
import { ProtoWriter } from './proto-writer.js';
import { decodeReadOnlineRequest, encodeReadOnlineReply, writeColumn, type ReadOnlineMessage } from './read-messages.js';

/** The message KnownAt as it came; NaN for a time that is not set. */
export interface KnownAtMessage {
  timeUs: number;
  position: string;
  rowTime: boolean;
}

/** ReadAsOfRequest and ReadOfflineRequest as they came: their first five fields and the service are those of ReadOnlineRequest. */
export interface ReadPastMessage extends ReadOnlineMessage {
  /** `at`, or the start. */
  fromUs: number;
  endUs: number;
  known: KnownAtMessage;
}

/** The message HistoricalRequest as it came. */
export interface HistoricalMessage {
  project: string;
  readonly features: string[];
  readonly aliases: { alias: string; group: string; keyColumns: Record<string, string> }[];
  fullNames: boolean;
  service: string;
  known: KnownAtMessage;
  readonly columns: ColumnMessage[];
  readonly rowTimeUs: number[];
  timeColumn: string;
  startUs: number;
  endUs: number;
}

export const decodeReadAsOfRequest = (bytes: Buffer): ReadPastMessage => decodePast(bytes, { from: 6, known: 7 });

export const decodeReadOfflineRequest = (bytes: Buffer): ReadPastMessage => decodePast(bytes, { from: 6, end: 7, known: 8 });

function decodePast(bytes: Buffer, numbers: { from: number; end?: number; known: number }): ReadPastMessage {
  const message: ReadPastMessage = { ...decodeReadOnlineRequest(bytes), fromUs: NaN, endUs: NaN, known: unbounded() };
  const reader = new ProtoReader(bytes);
  for (const field of reader.fields()) {
    if (field === numbers.from) message.fromUs = readTimestamp(reader.message());
    else if (field === numbers.end) message.endUs = readTimestamp(reader.message());
    else if (field === numbers.known) message.known = readKnown(reader.message());
    else reader.skip();
  }
  return message;
}

export const decodeHistoricalRequest = (bytes: Buffer): HistoricalMessage => readHistorical(new ProtoReader(bytes));

/** Reads the message HistoricalRequest where it stands within another. */
export function readHistorical(reader: ProtoReader): HistoricalMessage {
  const message: HistoricalMessage = {
    project: '', features: [], aliases: [], fullNames: false, service: '', known: unbounded(), columns: [], rowTimeUs: [], timeColumn: '', startUs: NaN, endUs: NaN,
  };
  for (const field of reader.fields()) {
    if (field === 1) message.project = reader.string();
    else if (field === 2) message.features.push(reader.string());
    else if (field === 3) message.aliases.push(readAlias(reader.message()));
    else if (field === 4) message.fullNames = reader.bool();
    else if (field === 5) message.known = readKnown(reader.message());
    else if (field === 6) message.columns.push(readColumn(reader.message()));
    else if (field === 7) reader.sfixed64s(message.rowTimeUs);
    else if (field === 8) message.timeColumn = reader.string();
    else if (field === 9) message.startUs = readTimestamp(reader.message());
    else if (field === 10) message.endUs = readTimestamp(reader.message());
    else if (field === 15) message.service = reader.string();
    else reader.skip();
  }
  return message;
}

const unbounded = (): KnownAtMessage => ({ timeUs: NaN, position: '', rowTime: false });

function readKnown(reader: ProtoReader): KnownAtMessage {
  const known = unbounded();
  for (const field of reader.fields()) {
    if (field === 1) known.timeUs = readTimestamp(reader.message());
    else if (field === 2) known.position = reader.string();
    else if (field === 3) known.rowTime = reader.bool();
    else reader.skip();
  }
  return known;
}

function readAlias(reader: ProtoReader): HistoricalMessage['aliases'][number] {
  const alias = { alias: '', group: '', keyColumns: Object.create(null) as Record<string, string> };
  for (const field of reader.fields()) {
    if (field === 1) alias.alias = reader.string();
    else if (field === 2) alias.group = reader.string();
    else if (field === 3) readKeyColumn(reader.message(), alias.keyColumns);
    else reader.skip();
  }
  return alias;
}

function readKeyColumn(reader: ProtoReader, into: Record<string, string>): void {
  let key = '';
  let column = '';
  for (const field of reader.fields()) {
    if (field === 1) key = reader.string();
    else if (field === 2) column = reader.string();
    else reader.skip();
  }
  into[key] = column;
}

/** The fields of ReadAsOfReply are those of ReadOnlineReply, and one more. */
export function encodeReadAsOfReply(answer: AsOfAnswer): Buffer {
  const writer = new ProtoWriter(64);
  writer.message(3, (within) => writeKnown(within, answer.known));
  return Buffer.concat([encodeReadOnlineReply(answer), writer.finish()]);
}

/** Some rows of one table of an answer. */
export interface BatchAnswer {
  readonly answer: Pick<HistoricalAnswer, 'known' | 'range'>;
  readonly table: Pick<TrainingSet, 'rows' | 'columns'>;
  readonly from: number;
  readonly to: number;
}

export function encodeHistoricalBatch(answer: BatchAnswer): Buffer {
  const writer = new ProtoWriter(bytesOfBatch(answer));
  writeHistoricalBatch(writer, answer);
  return writer.finish();
}

/** About how many bytes a batch takes. */
export const bytesOfBatch = ({ table, from, to }: BatchAnswer): number => 256 + (to - from) * table.columns.length * 10;

/** Writes the message HistoricalBatch, also within another. */
export function writeHistoricalBatch(writer: ProtoWriter, { answer: { known, range }, table, from, to }: BatchAnswer): void {
  writer.uint32(1, to - from);
  for (const { name, type, at } of table.columns) {
    const values = Array.from({ length: to - from }, (_, row) => at(from + row));
    writer.message(2, (within) => {
      within.string(1, name);
      writeColumn[type ?? typeOf(values)](within, values as never);
      within.uint32s(9, nullsOf(values));
    });
  }
  writer.message(3, (within) => writeKnown(within, known));
  if (range) {
    writer.message(4, (within) => writeTimestamp(within, range.startUs));
    writer.message(5, (within) => writeTimestamp(within, range.endUs));
  }
}

/** The type of a column that brought none: all its values are null. */
const typeOf = (values: readonly unknown[]): FeatureType => {
  if (values.every((value) => value === null)) return 'STRING';
  throw new TypeError('A column with values has no type');
};

function nullsOf(values: readonly unknown[]): number[] {
  const nulls: number[] = [];
  values.forEach((value, row) => {
    if (value === null) nulls.push(row);
  });
  return nulls;
}

function writeKnown(writer: ProtoWriter, { position, timeUs, rowTime }: HistoricalAnswer['known']): void {
  if (timeUs !== undefined) writer.message(1, (within) => writeTimestamp(within, timeUs));
  writer.string(2, formatPosition(position));
  if (rowTime) writer.uint32(3, 1);
}

function writeTimestamp(writer: ProtoWriter, timeUs: number): void {
  const seconds = Math.floor(timeUs / 1e6);
  writer.int64(1, seconds);
  writer.uint32(2, (timeUs - seconds * 1e6) * 1000);
}
