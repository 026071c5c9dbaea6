import { createHash, randomBytes } from 'node:crypto';
import type { AllStreamRecordedEvent, AllStreamResolvedEvent, Position, RecordedEvent, ResolvedEvent } from '@eventstore/db-client';

type AnyRecord = RecordedEvent | AllStreamRecordedEvent;
/** An event as any of the client's readers gives it. */
export type Read = (ResolvedEvent | AllStreamResolvedEvent) & { retryCount?: number };

/**
 * Brings answers into the form in which they were recorded: what differs from run to run (ids,
 * times, positions, the prefix that keeps runs apart) is replaced by what it stands for.
 */
export class PlainAnswers {
  /** Comes before every stream of this run. */
  readonly prefix = `r${randomBytes(5).toString('hex')}`;
  private readonly eventNames = new Map<string, string>();
  private readonly positions: Position[] = [];

  /** A conversation's name of a stream as it is in this run. */
  stream(name: string): string {
    if (name.startsWith('$ce-')) return `$ce-${this.prefix}${name.slice(4)}`;
    if (name.startsWith('$$')) return `$$${this.prefix}${name.slice(2)}`;
    return name.startsWith('$') ? name : this.prefix + name;
  }

  /** The id of a named event: the same for the same name in this run. */
  idOf(name: string): string {
    const hex = createHash('sha1').update(this.prefix + name).digest('hex');
    const id = `${hex.slice(0, 8)}-${hex.slice(8, 12)}-5${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
    this.eventNames.set(id, name);
    return id;
  }

  nameOf(id: string): string | undefined {
    return this.eventNames.get(id);
  }

  text(value: string): string {
    return value.replaceAll(this.prefix, '');
  }

  /** Whether an event belongs to this run, and was not written by a system projection. */
  isMine(read: Read): boolean {
    const name = read.event?.streamId ?? read.link?.streamId ?? '';
    return name.startsWith(this.prefix) || name.startsWith(`$$${this.prefix}`);
  }

  value(value: unknown): unknown {
    if (value instanceof Uint8Array) return this.bytes(value);
    if (typeof value === 'bigint') return value.toString();
    if (typeof value === 'string') return this.text(value);
    if (Array.isArray(value)) return value.map((item) => this.value(item));
    if (value instanceof Map) return this.value(Object.fromEntries(value));
    if (typeof value === 'object' && value !== null) return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, this.value(item)]));
    return value;
  }

  resolved(read: Read): Record<string, unknown> {
    const { event, link } = read;
    return {
      event: event === undefined ? null : this.event(event),
      ...(link && { link: { stream: this.text(link.streamId), revision: Number(link.revision), type: link.type, data: this.value(link.data) } }),
      ...(read.retryCount !== undefined && { retry: read.retryCount }),
    };
  }

  failure(error: Error): Record<string, unknown> {
    const told = error as unknown as Record<string, unknown>;
    const details = ['streamName', 'expectedVersion', 'actualVersion', 'groupName', 'maxAppendSize'].filter((key) => told[key] !== undefined);
    return { error: told['type'] ?? error.name, ...Object.fromEntries(details.map((key) => [key, this.value(told[key])])) };
  }

  /** A position, to be replaced by its rank among all that were seen. */
  position(position: Position | undefined): unknown {
    if (position === undefined) return null;
    this.positions.push(position);
    return { seen: this.positions.length - 1 };
  }

  /** The answers with every position replaced by its rank. */
  ranked(answers: unknown[]): unknown[] {
    const distinct = new Map(this.positions.map((position) => [keyOf(position), position]));
    const order = [...distinct.values()].sort(byPosition).map(keyOf);
    const rank = (key: string, value: unknown): unknown =>
      key === 'position' && typeof value === 'object' && value !== null ? `position ${order.indexOf(keyOf(this.positions[(value as { seen: number }).seen]!)) + 1}` : value;
    return JSON.parse(JSON.stringify(answers, rank)) as unknown[];
  }

  private event(event: AnyRecord): Record<string, unknown> {
    return {
      id: this.eventNames.get(event.id) ?? 'server',
      stream: this.text(event.streamId),
      revision: Number(event.revision),
      type: event.type,
      json: event.isJson,
      data: this.value(event.data),
      metadata: this.metadata(event.metadata),
      dated: event.created instanceof Date && event.created.getTime() > 0,
    };
  }

  /** Of what a system projection notes on its links only the cause is the same on every server. */
  private metadata(metadata: unknown): unknown {
    const noted = metadata as Record<string, unknown> | undefined;
    if (!noted?.['$causedBy'] || !noted['$v']) return this.value(metadata);
    return { $causedBy: this.eventNames.get(String(noted['$causedBy'])) ?? 'server', $o: this.value(noted['$o']) };
  }

  private bytes(value: Uint8Array): unknown {
    const text = Buffer.from(value).toString('utf8');
    return text.includes(this.prefix) ? { $text: this.text(text) } : { $bytes: Buffer.from(value).toString('base64') };
  }
}

const keyOf = ({ commit, prepare }: Position): string => `${commit}:${prepare}`;

function byPosition(a: Position, b: Position): number {
  if (a.commit !== b.commit) return a.commit < b.commit ? -1 : 1;
  return a.prepare === b.prepare ? 0 : a.prepare < b.prepare ? -1 : 1;
}
