import { ProtoReader } from '../../protobuf.js';
import { holdsField, optionsOf, readIdentifier } from './requests.js';

/** Where in a stream or in the log a reader starts. */
export type From = 'start' | 'end' | number;

/** Which events a filtered reader wants: those whose stream or type has a prefix or matches an expression. */
export interface FilterRequest {
  readonly on: 'stream' | 'type';
  readonly regex: string | undefined;
  readonly prefixes: readonly string[];
  /** How many events are searched before the reader hears of progress. */
  readonly window: number | undefined;
  readonly checkpointInterval: number;
}

/** `ReadReq` of the Streams service. */
export interface ReadRequest {
  /** undefined reads the log. */
  readonly stream: string | undefined;
  readonly from: From;
  readonly backwards: boolean;
  readonly resolveLinks: boolean;
  /** undefined for a subscription. */
  readonly count: number | undefined;
  readonly filter: FilterRequest | undefined;
  readonly structuredIds: boolean;
}

export function decodeReadRequest(bytes: Buffer): ReadRequest {
  let request: ReadRequest = { stream: undefined, from: 'start', backwards: false, resolveLinks: false, count: undefined, filter: undefined, structuredIds: false };
  const options = optionsOf(bytes);
  while (options?.next()) {
    switch (options.field) {
      case 1:
        request = { ...request, ...readStreamFrom(options.message(), 2) };
        break;
      case 2:
        request = { ...request, from: readLogFrom(options.message()) };
        break;
      case 3:
        request = { ...request, backwards: options.varint() === 1 };
        break;
      case 4:
        request = { ...request, resolveLinks: options.bool() };
        break;
      case 5:
        request = { ...request, count: options.varint() };
        break;
      case 7:
        request = { ...request, filter: readFilter(options.message()) };
        break;
      case 9:
        request = { ...request, structuredIds: holdsField(options.message(), 1) };
        break;
      default:
        options.skip();
    }
  }
  return request;
}

/** `StreamOptions`: identifier 1, revision, start 3, end 4. */
export function readStreamFrom(reader: ProtoReader, revisionField: number): { stream: string; from: From } {
  let stream = '';
  let from: From = 'start';
  while (reader.next()) {
    if (reader.field === 1) stream = readIdentifier(reader.message());
    else if (reader.field === revisionField) from = reader.varint();
    else {
      if (reader.field === 4) from = 'end';
      reader.skip();
    }
  }
  return { stream, from };
}

function readLogFrom(reader: ProtoReader): From {
  let from: From = 'start';
  while (reader.next()) {
    if (reader.field === 1) from = readPosition(reader.message());
    else {
      if (reader.field === 3) from = 'end';
      reader.skip();
    }
  }
  return from;
}

/** The commit position of a `Position`. The last one there can be stands for the end of the log. */
export function readPosition(reader: ProtoReader): From {
  let commit = 0;
  while (reader.next()) {
    if (reader.field === 1) commit = reader.varint();
    else reader.skip();
  }
  return commit >= 2 ** 63 ? 'end' : commit;
}

/** `FilterOptions`, which reads and persistent subscriptions share. */
export function readFilter(reader: ProtoReader): FilterRequest {
  let filter: FilterRequest = { on: 'stream', regex: undefined, prefixes: [], window: undefined, checkpointInterval: 1 };
  while (reader.next()) {
    switch (reader.field) {
      case 1:
        filter = { ...filter, on: 'stream', ...readExpression(reader.message()) };
        break;
      case 2:
        filter = { ...filter, on: 'type', ...readExpression(reader.message()) };
        break;
      case 3:
        filter = { ...filter, window: reader.varint() };
        break;
      case 5:
        filter = { ...filter, checkpointInterval: reader.varint() };
        break;
      default:
        reader.skip();
    }
  }
  return filter;
}

function readExpression(reader: ProtoReader): { regex: string | undefined; prefixes: string[] } {
  let regex: string | undefined;
  const prefixes: string[] = [];
  while (reader.next()) {
    if (reader.field === 1) regex = reader.text();
    else if (reader.field === 2) prefixes.push(reader.text());
    else reader.skip();
  }
  return { regex: regex === '' ? undefined : regex, prefixes };
}
