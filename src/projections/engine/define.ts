import type { z } from 'zod';
import { decode, type DomainEvent, type EventDefinition } from '../../domain/kit/index.js';
import type { Position, StoredEvent } from '../../platform/eventstore/port.js';
import type { EventInfo, KeyedView, View, ViewBuild, ViewTransaction } from '../kit/view.js';
import { InfoOf } from './event-info.js';
import { HistoryTable } from './history-table.js';
import { KeyedTable, type Row } from './keyed-table.js';
import { Versions } from './versions.js';

/**
 * Makes a view of a table whose rows are folds: a batch costs one select, one upsert and at most one delete, and one
 * statement more where the view keeps its history.
 */
export function defineView<const Definitions extends readonly EventDefinition[], RowSchema extends z.ZodObject, Key extends keyof z.output<RowSchema> & string>(
  definition: KeyedView<Definitions, RowSchema, Key>,
): View {
  const table = new KeyedTable(definition.table, definition.row, definition.key);
  const history = definition.history ? new HistoryTable(definition.table, definition.row, definition.key) : undefined;
  const touchOf = touchReader(definition as unknown as AnyKeyedView, table);
  const shapes = [table.shape, ...(history ? [history.shape] : [])];
  return {
    name: definition.name,
    version: definition.version,
    tables: shapes.map(({ name }) => name),
    shapes,
    keepsHistory: history !== undefined,
    eventTypes: definition.events.map(({ type }) => type).filter((type) => type in definition.on),
    keyOf: (event) => touchOf(event)?.keyText ?? '',
    touches: (event, { key }) => touchOf(event)?.keyText === table.keyTextOf(key),
    onDifference: definition.onDifference,
    project: async (events, tx) => project({ table, history }, events.map(touchOf).filter((touch) => touch !== undefined), tx),
    startBuild: () => new KeyedBuild({ table, history }, touchOf),
  };
}

interface Tables {
  readonly table: KeyedTable;
  readonly history: HistoryTable | undefined;
}

interface AnyKeyedView {
  readonly events: readonly EventDefinition[];
  readonly keyOf: (event: DomainEvent, info: EventInfo) => Row;
  readonly on: Readonly<Record<string, Handler | undefined>>;
}
type Handler = (row: Row | undefined, data: unknown, info: EventInfo) => Row | undefined;

/** What one event does to one row. */
interface Touch {
  readonly key: Row;
  readonly keyText: string;
  readonly at: Position;
  readonly fold: (row: Row | undefined) => Row | undefined;
}

type TouchReader = (event: StoredEvent) => Touch | undefined;

function touchReader({ events: definitions, keyOf, on }: AnyKeyedView, table: KeyedTable): TouchReader {
  const byType = new Map(definitions.map((definition) => [definition.type, definition]));
  return (stored) => {
    const definition = byType.get(stored.type);
    const handler = on[stored.type];
    if (!definition || !handler) return undefined;
    const event = decode(definition, stored.schemaVersion ?? Number(stored.metadata['version'] ?? 1), stored.data);
    const info = new InfoOf(stored);
    const key = keyOf(event, info);
    const keyText = table.keyText(key);
    const fold = (row: Row | undefined) => {
      const folded = handler(row, event.data, info);
      if (folded && table.keyText(folded) !== keyText) throw new Error(`The handler of ${stored.type} gave a row of another key than ${keyText}`);
      return folded && table.canonical(folded);
    };
    return { key, keyText, at: stored.position, fold };
  };
}

async function project({ table, history }: Tables, touches: readonly Touch[], tx: ViewTransaction): Promise<void> {
  if (touches.length === 0) return;
  const keys = new Map(touches.map(({ keyText, key }) => [keyText, key]));
  const held = await table.load(tx, [...keys.values()]);
  const rows = new Map<string, Row | undefined>(held.map((row) => [table.keyText(row), row]));
  const before = new Set(rows.keys());
  const versions = history && new Versions();
  for (const { keyText, key, at, fold } of touches) {
    const row = rows.get(keyText);
    const folded = fold(row);
    rows.set(keyText, folded);
    versions?.note(keyText, key, row, folded, at);
  }

  const gone = [...before].filter((keyText) => rows.get(keyText) === undefined);
  await table.remove(tx, gone.map((keyText) => keys.get(keyText)!));
  await table.save(tx, [...rows.values()].filter((row) => row !== undefined));
  if (versions) await history!.save(tx, versions);
}

/** The size of rows is looked at once in so many events. */
const eventsPerWeighing = 16;

class KeyedBuild implements ViewBuild {
  private readonly rows = new Map<string, Row>();
  private readonly versions: Versions | undefined;
  private bytesPerRow = 0;
  private events = 0;

  constructor(
    private readonly tables: Tables,
    private readonly touchOf: TouchReader,
  ) {
    this.versions = tables.history && new Versions();
  }

  /** The version of now and the row are one object. */
  get heldBytes(): number {
    return Math.max(this.rows.size, this.versions?.begun.length ?? 0) * this.bytesPerRow;
  }

  add(event: StoredEvent): void {
    const touch = this.touchOf(event);
    if (!touch) return;
    const before = this.rows.get(touch.keyText);
    const row = touch.fold(before);
    this.versions?.note(touch.keyText, touch.key, before, row, touch.at);
    if (!row) return void this.rows.delete(touch.keyText);
    this.rows.set(touch.keyText, row);
    if (this.events++ % eventsPerWeighing === 0) this.bytesPerRow += (bytesOf(row) - this.bytesPerRow) / (this.bytesPerRow === 0 ? 1 : eventsPerWeighing);
  }

  async write(tx: ViewTransaction): Promise<void> {
    const { table, history } = this.tables;
    await table.copy(tx, this.rows);
    if (this.versions) await history!.copy(tx, this.versions);
    this.rows.clear();
    this.versions?.clear();
  }
}

/** What V8 needs for a row, by a rule of thumb: its text twice over, and the objects around it. */
function bytesOf(row: Row): number {
  return 200 + 2 * JSON.stringify(row, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value)).length;
}
