import type { RowFault, WriteReply } from '../../../commands/features/incoming.js';
import type { FieldViolation } from '../../../domain/kit/index.js';
import { readColumn, type ColumnMessage } from './columns.js';
import { readEntry, readTimestamp } from './json-values.js';
import { ProtoReader } from './proto-reader.js';
import { ProtoWriter } from './proto-writer.js';

/** The message WriteRequest as it came. */
export interface WriteMessage {
  project: string;
  group: string;
  /** The number of the enum WriteMode. */
  mode: number;
  partial: boolean;
  /** 0 for the promoted one. */
  version: number;
  /** Keeps the bad rows for mending. */
  quarantine: boolean;
  /** Where each row stands in the caller's file. */
  readonly lines: number[];
  batch?: BatchMessage;
  readonly rows: RowMessage[];
}

export interface BatchMessage {
  readonly keys: ColumnMessage[];
  readonly eventTimeUs: number[];
  readonly features: ColumnMessage[];
}

export interface RowMessage {
  readonly entity: Map<string, unknown>;
  eventTimeUs: number;
  readonly values: Map<string, unknown>;
}

export interface StreamWriteMessage {
  write: WriteMessage;
  requestId: string;
}

export const decodeWriteRequest = (bytes: Buffer): WriteMessage => readWrite(new ProtoReader(bytes));

export function decodeStreamWriteRequest(bytes: Buffer): StreamWriteMessage {
  const message: StreamWriteMessage = { write: emptyWrite(), requestId: '' };
  const reader = new ProtoReader(bytes);
  for (const field of reader.fields()) {
    if (field === 1) message.write = readWrite(reader.message());
    else if (field === 2) message.requestId = reader.string();
    else reader.skip();
  }
  return message;
}

const emptyWrite = (): WriteMessage => ({ project: '', group: '', mode: 0, partial: false, version: 0, quarantine: false, lines: [], rows: [] });

function readWrite(reader: ProtoReader): WriteMessage {
  const message = emptyWrite();
  for (const field of reader.fields()) {
    if (field === 1) message.project = reader.string();
    else if (field === 2) message.group = reader.string();
    else if (field === 3) message.mode = reader.uint32();
    else if (field === 4) message.partial = reader.bool();
    else if (field === 5) message.batch = readBatch(reader.message());
    else if (field === 6) message.rows.push(readRow(reader.message()));
    else if (field === 7) message.version = reader.uint32();
    else if (field === 8) message.quarantine = reader.bool();
    else if (field === 9) reader.uint32s(message.lines);
    else reader.skip();
  }
  return message;
}

function readBatch(reader: ProtoReader): BatchMessage {
  const batch: BatchMessage = { keys: [], eventTimeUs: [], features: [] };
  for (const field of reader.fields()) {
    if (field === 1) batch.keys.push(readColumn(reader.message()));
    else if (field === 2) reader.sfixed64s(batch.eventTimeUs);
    else if (field === 3) batch.features.push(readColumn(reader.message()));
    else reader.skip();
  }
  return batch;
}

function readRow(reader: ProtoReader): RowMessage {
  const row: RowMessage = { entity: new Map(), eventTimeUs: NaN, values: new Map() };
  for (const field of reader.fields()) {
    if (field === 1) readEntry(reader.message(), row.entity);
    else if (field === 2) row.eventTimeUs = readTimestamp(reader.message());
    else if (field === 3) readEntry(reader.message(), row.values);
    else reader.skip();
  }
  return row;
}

export function encodeWriteReply(reply: WriteReply): Buffer {
  const writer = new ProtoWriter(256);
  writeReply(writer, reply);
  return writer.finish();
}

/** What a request of a stream is answered. */
export type StreamWriteAnswer = { readonly requestId: string } & ({ readonly written: WriteReply } | { readonly refusal: RefusalMessage });

export interface RefusalMessage {
  readonly code: string;
  readonly reason: string;
  readonly message: string;
  readonly fields: readonly FieldViolation[];
}

export function encodeStreamWriteReply(answer: StreamWriteAnswer): Buffer {
  const writer = new ProtoWriter(256);
  writer.string(1, answer.requestId);
  if ('written' in answer) writer.message(2, (within) => writeReply(within, answer.written));
  else writer.message(3, (within) => writeRefusal(within, answer.refusal));
  return writer.finish();
}

function writeReply(writer: ProtoWriter, { commandId, position, rowsWritten, rowsRejected, rowsQuarantined, faults }: WriteReply): void {
  writer.string(1, commandId);
  writer.string(2, position);
  writer.uint32(3, rowsWritten);
  writer.uint32(4, rowsRejected);
  for (const fault of faults) writer.message(5, (within) => writeFault(within, fault));
  writer.uint32(6, rowsQuarantined);
}

function writeFault(writer: ProtoWriter, { row, field, description }: RowFault): void {
  writer.uint32(1, row);
  writer.string(2, field);
  writer.string(3, description);
}

function writeRefusal(writer: ProtoWriter, { code, reason, message, fields }: RefusalMessage): void {
  writer.string(1, code);
  writer.string(2, reason);
  writer.string(3, message);
  for (const { field, description } of fields) {
    writer.message(4, (within) => {
      within.string(1, field);
      within.string(2, description);
    });
  }
}
