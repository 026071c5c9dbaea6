/** The types that columns have in files: the same as those of features. */
export type ColumnType = 'INT64' | 'DOUBLE' | 'STRING' | 'BOOL' | 'TIMESTAMP' | 'DOUBLE_LIST';

/** A column as it is written to a file whose columns have types. */
export interface TypedColumn {
  readonly name: string;
  readonly type: ColumnType;
  /** The number of elements that every list has, where it is always the same. */
  readonly dimensions?: number;
  /** INT64: a whole number, or its digits. TIMESTAMP: microseconds since the Unix epoch. Null for none. */
  at(row: number): unknown;
}

/** Rows as a file with types takes them. */
export interface TypedTable {
  readonly rows: number;
  readonly columns: readonly TypedColumn[];
}

/** Makes a file of tables that have the same columns. */
export interface TableWriter {
  /** The pieces of the file that a table makes, one bounded part of it after another. */
  write(table: TypedTable): Iterable<Uint8Array>;
  /** The end of the file. */
  finish(): Uint8Array;
}

/** A file of tables piece by piece, so that a reader who is slow slows the writer. */
export async function* piecesOf(writer: TableWriter, tables: AsyncIterable<TypedTable>): AsyncGenerator<Uint8Array> {
  for await (const table of tables) yield* writer.write(table);
  yield writer.finish();
}

/** The type of values that came without one: what all of them are, numbers as DOUBLE where one is not whole, and STRING for a mixture. */
export function typeOfValues(values: Iterable<unknown>): ColumnType {
  let type: ColumnType | undefined;
  for (const value of values) {
    if (value === null || value === undefined) continue;
    const own = typeOfValue(value);
    if (type === undefined || type === own) type = own;
    else if (isNumeric(type) && isNumeric(own)) type = 'DOUBLE';
    else return 'STRING';
  }
  return type ?? 'STRING';
}

function typeOfValue(value: unknown): ColumnType {
  switch (typeof value) {
    case 'boolean':
      return 'BOOL';
    case 'bigint':
      return 'INT64';
    case 'number':
      return Number.isSafeInteger(value) ? 'INT64' : 'DOUBLE';
    default:
      return Array.isArray(value) && value.every((element) => typeof element === 'number') ? 'DOUBLE_LIST' : 'STRING';
  }
}

const isNumeric = (type: ColumnType): boolean => type === 'INT64' || type === 'DOUBLE';

/** A value as a text column holds it. */
export const textOf = (value: unknown): string => (typeof value === 'string' ? value : typeof value === 'object' ? JSON.stringify(value) : String(value));
