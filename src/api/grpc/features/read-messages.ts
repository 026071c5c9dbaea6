import type { FeatureType } from '../../../domain/features/values.js';
import type { AnsweredFeature, OnlineAnswer } from '../../../projections/features/online/read.js';
import { readColumn, type ColumnMessage } from './columns.js';
import { readEntry } from './json-values.js';
import { ProtoReader } from './proto-reader.js';
import { ProtoWriter } from './proto-writer.js';

/** The message ReadOnlineRequest as it came. */
export interface ReadOnlineMessage {
  project: string;
  readonly features: string[];
  readonly keys: ColumnMessage[];
  readonly entities: Map<string, unknown>[];
  fullNames: boolean;
  service: string;
}

export function decodeReadOnlineRequest(bytes: Buffer): ReadOnlineMessage {
  const message: ReadOnlineMessage = { project: '', features: [], keys: [], entities: [], fullNames: false, service: '' };
  const reader = new ProtoReader(bytes);
  for (const field of reader.fields()) {
    if (field === 1) message.project = reader.string();
    else if (field === 2) message.features.push(reader.string());
    else if (field === 3) message.keys.push(readColumn(reader.message()));
    else if (field === 4) message.entities.push(readEntity(reader.message()));
    else if (field === 5) message.fullNames = reader.bool();
    else if (field === 15) message.service = reader.string();
    else reader.skip();
  }
  return message;
}

function readEntity(reader: ProtoReader): Map<string, unknown> {
  const key = new Map<string, unknown>();
  for (const field of reader.fields()) {
    if (field === 1) readEntry(reader.message(), key);
    else reader.skip();
  }
  return key;
}

export function encodeReadOnlineReply({ entities, features, groups }: OnlineAnswer): Buffer {
  const writer = new ProtoWriter(256 + entities * (features.length * 10 + groups.length * 8));
  for (const feature of features) writer.message(1, (within) => writeVector(within, feature));
  for (const { group, timeUs } of groups) {
    writer.message(2, (within) => {
      within.string(1, group);
      within.sfixed64s(2, timeUs);
    });
  }
  return writer.finish();
}

function writeVector(writer: ProtoWriter, { name, group, type, values, statuses }: AnsweredFeature): void {
  writer.string(1, name);
  writer.string(2, group);
  writer.message(3, (within) => writeColumn[type](within, values as never));
  writer.data(4, statuses);
}

/** How the values of each type stand in a Column; where there is none stands the type's zero. */
export const writeColumn: Record<FeatureType, (writer: ProtoWriter, values: readonly (never | null)[]) => void> = {
  DOUBLE: (writer, values) => writer.doubles(2, values),
  INT64: (writer, values) => writer.sint64s(3, values),
  STRING: (writer, values) => values.forEach((value) => writer.repeatedString(4, value ?? '')),
  BOOL: (writer, values) => writer.bools(6, values),
  TIMESTAMP: (writer, values) => writer.sfixed64s(7, values),
  DOUBLE_LIST: (writer, values) => values.forEach((list) => writer.message(8, (within) => within.doubles(1, list ?? []))),
};
