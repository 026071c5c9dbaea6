import { readHistorical, bytesOfBatch, writeHistoricalBatch, type BatchAnswer, type HistoricalMessage } from './history-messages.js';
import { ProtoReader } from './proto-reader.js';
import { ProtoWriter } from './proto-writer.js';

/** The message SaveTrainingSetRequest as it came. */
export interface SaveTrainingSetMessage {
  trainingSet: string;
  owner: string;
  description: string;
  readonly tags: Record<string, string>;
  storeRows: boolean;
  question?: HistoricalMessage;
}

export function decodeSaveTrainingSetRequest(bytes: Buffer): SaveTrainingSetMessage {
  const message: SaveTrainingSetMessage = { trainingSet: '', owner: '', description: '', tags: {}, storeRows: false };
  const reader = new ProtoReader(bytes);
  for (const field of reader.fields()) {
    if (field === 1) message.trainingSet = reader.string();
    else if (field === 2) message.owner = reader.string();
    else if (field === 3) message.description = reader.string();
    else if (field === 4) readTag(reader.message(), message.tags);
    else if (field === 5) message.storeRows = reader.bool();
    else if (field === 6) message.question = readHistorical(reader.message());
    else reader.skip();
  }
  return message;
}

function readTag(reader: ProtoReader, into: Record<string, string>): void {
  let [key, value] = ['', ''];
  for (const field of reader.fields()) {
    if (field === 1) key = reader.string();
    else if (field === 2) value = reader.string();
    else reader.skip();
  }
  Object.defineProperty(into, key, { value, enumerable: true, configurable: true, writable: true });
}

/** Some rows of a saved training set. */
export interface SavedBatch extends BatchAnswer {
  readonly deletedSince: boolean;
}

export function encodeTrainingSetBatch(batch: SavedBatch): Buffer {
  const writer = new ProtoWriter(bytesOfBatch(batch));
  writer.message(1, (within) => writeHistoricalBatch(within, batch));
  if (batch.deletedSince) writer.uint32(2, 1);
  return writer.finish();
}
