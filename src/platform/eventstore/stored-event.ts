import { z } from 'zod';
import type { ReadResp } from '@eventstore/db-client/generated/streams_pb.js';
import type { UUID } from '@eventstore/db-client/generated/shared_pb.js';
import type { Position, StoredEvent } from './port.js';

type Recorded = ReadResp.ReadEvent.RecordedEvent;

const utf8 = new TextDecoder();
const json = 'application/json';

/**
 * An event as the server sent it. JSON is parsed when first looked at: the client would parse every event at
 * once, and large events are often only counted, skipped, or decoded from `rawData` by their reader.
 */
export class EventFromLog implements StoredEvent {
  private parsedData: unknown;
  private parsedMetadata: Record<string, unknown> | undefined;

  constructor(
    readonly id: string,
    readonly stream: string,
    readonly revision: bigint,
    readonly position: Position,
    readonly type: string,
    readonly rawData: Uint8Array,
    private readonly isJson: boolean,
    private readonly rawMetadata: Uint8Array,
    private readonly created: string,
  ) {}

  get data(): unknown {
    if (!this.isJson) return this.rawData;
    return (this.parsedData ??= JSON.parse(textOf(this.rawData)));
  }

  get metadata(): Record<string, unknown> {
    return (this.parsedMetadata ??= metadataOf(this.rawMetadata));
  }

  /** Found without parsing where that is possible: a rebuild asks every event, and often wants nothing else of its metadata. */
  get schemaVersion(): number {
    const plain = this.parsedMetadata ? undefined : plainVersion(bufferOf(this.rawMetadata).toString('latin1'));
    return plain ?? Number(this.metadata['version'] ?? 1);
  }

  /** The time of the first recording: a log that was moved from another server keeps it in the events' metadata. */
  get recordedAt(): Date {
    return this.movedFrom ?? new Date(Number(this.created.slice(0, -ticksPerMsDigits)));
  }

  /** Metadata are only parsed where the name stands in them: readers of history ask every event for its time. */
  private get movedFrom(): Date | undefined {
    if (!this.parsedMetadata && !bufferOf(this.rawMetadata).includes(createdKey)) return undefined;
    const { $created } = this.metadata;
    if ($created === undefined) return undefined;
    const time = z.iso.datetime().safeParse($created);
    return time.success ? new Date(time.data) : undefined;
  }
}

/** Where `tarl eventstore copy` and `import` note when an event was recorded first, see transfer/write-log.ts. */
const createdKey = '"$created"';

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

/** The event of a Read answer. */
export function storedEvent(recorded: Recorded): EventFromLog {
  const properties = recorded.getMetadataMap();
  const commit = BigInt(recorded.getCommitPosition());
  const prepare = recorded.getPreparePosition();
  return new EventFromLog(
    uuidText(recorded.getId()),
    textOf(recorded.getStreamIdentifier()!.getStreamName_asU8()),
    BigInt(recorded.getStreamRevision()),
    { commit, prepare: BigInt(prepare) },
    properties.get('type') ?? '',
    recorded.getData_asU8(),
    properties.get('content-type') === json,
    recorded.getCustomMetadata_asU8(),
    properties.get('created') ?? '0',
  );
}

/** A UUID as text, whichever of its two shapes the server chose. */
export function uuidText(uuid: UUID | undefined): string {
  const halves = uuid?.getStructured();
  if (!halves) return uuid?.getString() ?? '';
  const hex = half(halves.getMostSignificantBits()) + half(halves.getLeastSignificantBits());
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

function half(bits: string): string {
  return BigInt.asUintN(64, BigInt(bits)).toString(16).padStart(16, '0');
}

/** The time is in .NET ticks since the Unix epoch, of which 10,000 are a millisecond. */
const ticksPerMsDigits = 4;

/** UTF-8, by the fastest way for short texts. A byte order mark, which a JSON text may begin with, is left out. */
function textOf(bytes: Uint8Array): string {
  if (bytes[0] === 0xef) return utf8.decode(bytes);
  return bufferOf(bytes).toString();
}

const bufferOf = ({ buffer, byteOffset, byteLength }: Uint8Array): Buffer => Buffer.from(buffer, byteOffset, byteLength);

/** Other writers may put anything there; what is no JSON object has no properties for us. */
function metadataOf(bytes: Uint8Array): Record<string, unknown> {
  if (bytes.length === 0) return {};
  try {
    const value: unknown = JSON.parse(textOf(bytes));
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch (error) {
    if (error instanceof SyntaxError) return {};
    throw error;
  }
}
