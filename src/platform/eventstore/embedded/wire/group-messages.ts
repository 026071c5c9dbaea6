import { ALL, type GroupConfig, type Strategy } from '../groups/config.js';
import type { Group, NackAction } from '../groups/group.js';
import { bytesField, message, stringField, varintField, type ProtoReader as Reader } from '../../protobuf.js';
import { ProtoReader } from '../../protobuf.js';
import { readFilter, readPosition, readStreamFrom, type FilterRequest, type From } from './read-requests.js';
import { holdsField, optionsOf, readIdentifier } from './requests.js';
import { readUuid } from '../../uuid.js';

/** The deprecated `revision` of a group's settings; its largest value stands for the end. */
const END_REVISION = 2 ** 64;
const STRATEGIES: readonly Strategy[] = ['DispatchToSingle', 'RoundRobin', 'Pinned'];
const NACK_ACTIONS: readonly NackAction[] = ['retry', 'park', 'retry', 'skip', 'stop'];
const TICKS_A_MS = 10_000;

/** `CreateReq` and `UpdateReq`. */
export function decodeGroupConfig(bytes: Buffer): GroupConfig {
  let source = '';
  let name = '';
  let start: From | undefined;
  let filter: FilterRequest | undefined;
  let settings = readSettings(new ProtoReader(Buffer.alloc(0)));
  const options = optionsOf(bytes);
  while (options?.next()) {
    switch (options.field) {
      case 1:
        source = readIdentifier(options.message());
        break;
      case 2:
        name = options.text();
        break;
      case 3:
        settings = readSettings(options.message());
        break;
      case 4: {
        const stream = readStreamFrom(options.message(), 2);
        source = stream.stream;
        start = stream.from;
        break;
      }
      case 5: {
        source = ALL;
        const all = readAllOptions(options.message());
        start = all.from;
        filter = all.filter;
        break;
      }
      default:
        options.skip();
    }
  }
  const { from, ...rest } = settings;
  return { source, name, filter, from: start ?? from, ...rest };
}

function readAllOptions(reader: Reader): { from: From; filter: FilterRequest | undefined } {
  let from: From = 'start';
  let filter: FilterRequest | undefined;
  while (reader.next()) {
    if (reader.field === 1) from = readPosition(reader.message());
    else if (reader.field === 4) filter = readFilter(reader.message());
    else {
      if (reader.field === 3) from = 'end';
      reader.skip();
    }
  }
  return { from, filter };
}

/** The numbers of the settings' fields, each read into its own place. */
function readSettings(reader: Reader): Omit<GroupConfig, 'source' | 'name' | 'filter'> {
  const values = new Map<number, number>();
  let strategy: string | undefined;
  while (reader.next()) {
    if (reader.field === 16) strategy = reader.text();
    else if (reader.wireType === 0) values.set(reader.field, reader.field === 2 ? reader.varint() : reader.int());
    else reader.skip();
  }
  const at = (field: number): number => values.get(field) ?? 0;
  const milliseconds = (ms: number, ticks: number): number => (values.has(ms) ? at(ms) : at(ticks) / TICKS_A_MS);
  return {
    from: at(2) >= END_REVISION ? 'end' : at(2) === 0 ? 'start' : at(2),
    resolveLinks: at(1) !== 0,
    extraStatistics: at(3) !== 0,
    messageTimeoutMs: milliseconds(14, 4),
    maxRetryCount: at(5),
    checkpointAfterMs: milliseconds(15, 6),
    minCheckpointCount: at(7),
    maxCheckpointCount: at(8),
    maxSubscriberCount: at(9),
    liveBufferSize: at(10),
    readBatchSize: at(11),
    historyBufferSize: at(12),
    strategy: strategy ? (strategy as Strategy) : (STRATEGIES[at(13)] ?? 'RoundRobin'),
  };
}

/** Which group a request is about. */
export interface GroupRequest {
  readonly source: string;
  readonly name: string;
  /** `ReplayParked` only. */
  readonly stopAt: number | undefined;
}

/** `DeleteReq`, `GetInfoReq` and `ReplayParkedReq`, which have their fields in different places. */
export function decodeGroupRequest(fields: { stream: number; all: number; group: number }): (bytes: Buffer) => GroupRequest {
  return (bytes) => {
    let request: GroupRequest = { source: '', name: '', stopAt: undefined };
    const options = optionsOf(bytes);
    while (options?.next()) {
      if (options.field === fields.stream) request = { ...request, source: readIdentifier(options.message()) };
      else if (options.field === fields.group) request = { ...request, name: options.text() };
      else if (options.field === 4 && options.wireType === 0) request = { ...request, stopAt: options.int() };
      else {
        if (options.field === fields.all) request = { ...request, source: ALL };
        options.skip();
      }
    }
    return request;
  };
}

/** `ListReq`: the groups of one source, or of all. */
export function decodeListRequest(bytes: Buffer): { source: string | undefined } {
  let source: string | undefined;
  const options = optionsOf(bytes);
  while (options?.next()) {
    if (options.field !== 2) {
      options.skip();
      continue;
    }
    const of = options.message();
    while (of.next()) {
      if (of.field === 1) source = readIdentifier(of.message());
      else {
        source = ALL;
        of.skip();
      }
    }
  }
  return { source };
}

/** One message of a reader: first what it wants to read, then what became of the events. */
export type GroupReaderMessage =
  | { readonly kind: 'open'; readonly source: string; readonly name: string; readonly bufferSize: number; readonly structuredIds: boolean }
  | { readonly kind: 'ack'; readonly ids: string[] }
  | { readonly kind: 'nack'; readonly ids: string[]; readonly action: NackAction; readonly reason: string };

export function decodeReaderMessage(bytes: Buffer): GroupReaderMessage {
  const reader = new ProtoReader(bytes);
  while (reader.next()) {
    if (reader.field === 1) return readOpen(reader.message());
    if (reader.field === 2) return { kind: 'ack', ids: readIds(reader.message()).ids };
    if (reader.field === 3) return { kind: 'nack', ...readIds(reader.message()) };
    reader.skip();
  }
  throw new RangeError('a message without content');
}

function readOpen(reader: Reader): GroupReaderMessage {
  let open = { kind: 'open' as const, source: '', name: '', bufferSize: 0, structuredIds: false };
  while (reader.next()) {
    if (reader.field === 1) open = { ...open, source: readIdentifier(reader.message()) };
    else if (reader.field === 2) open = { ...open, name: reader.text() };
    else if (reader.field === 3) open = { ...open, bufferSize: reader.int() };
    else if (reader.field === 4) open = { ...open, structuredIds: holdsField(reader.message(), 1) };
    else {
      if (reader.field === 5) open = { ...open, source: ALL };
      reader.skip();
    }
  }
  return open;
}

function readIds(reader: Reader): { ids: string[]; action: NackAction; reason: string } {
  const ids: string[] = [];
  let action = 0;
  let reason = '';
  while (reader.next()) {
    if (reader.field === 2) ids.push(readUuid(reader.message()));
    else if (reader.field === 3) action = reader.varint();
    else if (reader.field === 4) reason = reader.text();
    else reader.skip();
  }
  return { ids, action: NACK_ACTIONS[action] ?? 'retry', reason };
}

/** `SubscriptionInfo`. */
export function groupInfo(group: Group): Buffer {
  const { config, consumers } = group;
  const { read, retried } = group.waiting;
  const processed = consumers.reduce((sum, consumer) => sum + consumer.total, 0);
  return message(
    stringField(1, config.source),
    stringField(2, config.name),
    stringField(3, group.status),
    ...consumers.map(({ about, slots, unacknowledged, total: sent }) =>
      bytesField(
        4,
        message(stringField(1, about.from), stringField(2, about.username), varintField(4, sent), varintField(7, slots - unacknowledged.size), varintField(8, unacknowledged.size), stringField(9, about.connectionName)),
      ),
    ),
    varintField(6, processed),
    stringField(8, placeText(config.source, group.checkpointed)),
    stringField(9, placeText(config.source, group.lastKnown)),
    varintField(10, config.resolveLinks ? 1 : 0),
    stringField(11, startText(config)),
    varintField(12, config.messageTimeoutMs),
    varintField(13, config.extraStatistics ? 1 : 0),
    varintField(14, config.maxRetryCount),
    varintField(15, config.liveBufferSize),
    varintField(16, config.historyBufferSize),
    varintField(17, config.readBatchSize),
    varintField(18, config.checkpointAfterMs),
    varintField(19, config.minCheckpointCount),
    varintField(20, config.maxCheckpointCount),
    varintField(21, read),
    varintField(23, retried),
    varintField(24, group.inFlight),
    varintField(25, group.inFlight),
    stringField(26, config.strategy),
    varintField(27, config.maxSubscriberCount),
    varintField(28, group.parked.count),
  );
}

const positionText = (position: number): string => `C:${position}/P:${position}`;

function placeText(source: string, place: number | undefined): string {
  if (place === undefined) return '';
  return source === ALL ? positionText(place) : String(place);
}

function startText({ source, from }: GroupConfig): string {
  const place = from === 'start' ? 0 : from === 'end' ? -1 : from;
  return source === ALL ? positionText(place) : String(place);
}
