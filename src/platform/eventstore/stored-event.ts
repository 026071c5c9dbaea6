import { z } from 'zod';
import type { Position, StoredEvent } from './port.js';
import { ProtoReader } from './protobuf.js';
import { readUuid } from './uuid.js';

/**
 * An event as the server sent it. What stands in it is taken from its bytes when first asked for: most readers of an
 * event want little of it, and large ones are often only counted, skipped, or decoded from `rawData`.
 */
export class EventFromLog implements StoredEvent {
  private idText: string | undefined;
  private parsedData: unknown;
  private parsedMetadata: Record<string, unknown> | undefined;

  constructor(
    readonly stream: string,
    readonly revision: bigint,
    readonly position: Position,
    readonly type: string,
    readonly isJson: boolean,
    /** When this server recorded it: .NET ticks of 100 ns since the Unix epoch, in digits. */
    readonly created: string,
    /** The message that the event came in, and where its id, its metadata and its data lie there. */
    private readonly bytes: Buffer,
    private readonly idAt: number,
    private readonly idEnd: number,
    private readonly metadataAt: number,
    private readonly metadataEnd: number,
    private readonly dataAt: number,
    private readonly dataEnd: number,
  ) {}

  get id(): string {
    return (this.idText ??= readUuid(new ProtoReader(this.bytes, this.idAt, this.idEnd)));
  }

  get data(): unknown {
    if (!this.isJson) return this.rawData;
    return (this.parsedData ??= JSON.parse(textIn(this.bytes, this.dataAt, this.dataEnd)));
  }

  get rawData(): Buffer {
    return this.bytes.subarray(this.dataAt, this.dataEnd);
  }

  get dataSize(): number {
    return this.dataEnd - this.dataAt;
  }

  get rawMetadata(): Buffer {
    return this.bytes.subarray(this.metadataAt, this.metadataEnd);
  }

  get metadata(): Record<string, unknown> {
    return (this.parsedMetadata ??= metadataOf(textIn(this.bytes, this.metadataAt, this.metadataEnd)));
  }

  /** Found without parsing where that is possible: a rebuild asks every event, and often wants nothing else of its metadata. */
  get schemaVersion(): number {
    const plain = this.parsedMetadata ? undefined : plainVersion(this.plainMetadata);
    return plain ?? Number(this.metadata['version'] ?? 1);
  }

  /** The time of the first recording: a log that was moved from another server keeps it in the events' metadata. */
  get recordedAt(): Date {
    return this.movedFrom ?? new Date(Number(this.created.slice(0, -ticksPerMsDigits)));
  }

  /** Metadata are only parsed where the name stands in them: readers of history ask every event for its time. */
  private get movedFrom(): Date | undefined {
    if (!this.parsedMetadata && !this.plainMetadata.includes(movedKey)) return undefined;
    const { $created } = this.metadata;
    if ($created === undefined) return undefined;
    const time = z.iso.datetime().safeParse($created);
    return time.success ? new Date(time.data) : undefined;
  }

  /** A character a byte, which is enough to look for names in them. */
  private get plainMetadata(): string {
    return this.bytes.toString('latin1', this.metadataAt, this.metadataEnd);
  }
}

/** Where `tarl eventstore copy` and `import` note when an event was recorded first, see transfer/write-log.ts. */
const movedKey = '"$created"';

const versionKey = '"version":';
const [zero, nine, comma, brace] = ['0', '9', ',', '}'].map((character) => character.charCodeAt(0)) as [number, number, number, number];

/** The version in metadata that are one flat object, as TARL writes them; undefined where only parsing can tell. */
function plainVersion(json: string): number | undefined {
  // Within a string its quotes would be escaped; within an object inside there would be another brace.
  const key = json.lastIndexOf(versionKey);
  if (key < 0 || json.indexOf('{', 1) >= 0) return undefined;
  let at = key + versionKey.length;
  let version = 0;
  for (let code = json.charCodeAt(at); code >= zero && code <= nine; code = json.charCodeAt(++at)) version = version * 10 + code - zero;
  const end = json.charCodeAt(at);
  return at > key + versionKey.length && (end === comma || end === brace) ? version : undefined;
}

const [typeKey, contentTypeKey, createdKey, json] = ['type', 'content-type', 'created', 'application/json'].map((text) => Buffer.from(text)) as [Buffer, Buffer, Buffer, Buffer];
const keys = [typeKey, contentTypeKey, createdKey];

/** Reads a RecordedEvent of `streams.proto`. Throws RangeError on bytes that are none. */
export function recordedEvent(reader: ProtoReader): EventFromLog {
  let [stream, type, isJson, created] = ['', '', false, '0'];
  let [revision, prepare, commit] = [0n, 0n, 0n];
  let [idAt, idEnd, metadataAt, metadataEnd, dataAt, dataEnd] = [0, 0, 0, 0, 0, 0];
  while (reader.next()) {
    switch (reader.field) {
      case 1:
        idAt = reader.enter();
        idEnd = reader.at;
        break;
      case 2:
        stream = streamName(reader.message());
        break;
      case 3:
        revision = reader.unsigned();
        break;
      case 4:
        prepare = reader.unsigned();
        break;
      case 5:
        commit = reader.unsigned();
        break;
      case 6: {
        const { key, at, end } = entryOf(reader.message());
        if (key === typeKey) type = typeIn(reader.bytes, at, end);
        else if (key === contentTypeKey) isJson = isAt(reader.bytes, at, end, json);
        else if (key === createdKey) created = reader.bytes.toString('latin1', at, end);
        break;
      }
      case 7:
        metadataAt = reader.enter();
        metadataEnd = reader.at;
        break;
      case 8:
        dataAt = reader.enter();
        dataEnd = reader.at;
        break;
      default:
        reader.skip();
    }
  }
  if (stream === '') throw new RangeError('an event of no stream');
  return new EventFromLog(stream, revision, { commit, prepare }, type, isJson, created, reader.bytes, idAt, idEnd, metadataAt, metadataEnd, dataAt, dataEnd);
}

/** An entry of the map of properties: which key it has, of those that matter here, and where its value lies. */
function entryOf(reader: ProtoReader): { key: Buffer | undefined; at: number; end: number } {
  let key: Buffer | undefined;
  let at = 0;
  let end = 0;
  while (reader.next()) {
    if (reader.field === 1) {
      const from = reader.enter();
      key = keys.find((each) => isAt(reader.bytes, from, reader.at, each));
    } else if (reader.field === 2) {
      at = reader.enter();
      end = reader.at;
    } else reader.skip();
  }
  return { key, at, end };
}

/** The type that was read last: mostly it comes again. */
let lastType = { bytes: Buffer.alloc(0), text: '' };

function typeIn(bytes: Buffer, at: number, end: number): string {
  if (!isAt(bytes, at, end, lastType.bytes)) lastType = { bytes: Buffer.from(bytes.subarray(at, end)), text: bytes.toString('utf8', at, end) };
  return lastType.text;
}

/** Whether these bytes and no others stand there. */
function isAt(bytes: Buffer, at: number, end: number, expected: Buffer): boolean {
  if (end - at !== expected.length) return false;
  for (let index = 0; index < expected.length; index++) if (bytes[at + index] !== expected[index]) return false;
  return true;
}

function streamName(reader: ProtoReader): string {
  let name = '';
  while (reader.next()) {
    if (reader.field === 3) name = reader.text();
    else reader.skip();
  }
  return name;
}

/** 10,000 ticks are a millisecond. */
const ticksPerMsDigits = 4;

const utf8 = new TextDecoder();

/** UTF-8, by the fastest way for short texts. A byte order mark, which a JSON text may begin with, is left out. */
function textIn(bytes: Buffer, from: number, end: number): string {
  if (bytes[from] === 0xef) return utf8.decode(bytes.subarray(from, end));
  return bytes.toString('utf8', from, end);
}

/** Other writers may put anything there; what is no JSON object has no properties for us. */
function metadataOf(text: string): Record<string, unknown> {
  if (text === '') return {};
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch (error) {
    if (error instanceof SyntaxError) return {};
    throw error;
  }
}
