import { setImmediate } from 'node:timers/promises';
import type { SchemaElement } from 'hyparquet';
import { int64Of } from '../../../domain/features/int64.js';
import type { FeatureType } from '../../../domain/features/values.js';
import { withoutRows, type TrainingColumn, type TrainingSet } from '../history/training-set.js';

/** How a column stands in the file: as its type; one without a type as that which all its values have, or as JSON. */
type Kind = FeatureType | 'JSON';

interface FileColumn {
  readonly name: string;
  readonly type?: FeatureType;
  readonly kind: Kind;
}

/** The entry of the file's metadata that says the columns, so that they are read back exactly as they were. */
const metadataKey = 'tarl.columns';
const rowsOfGroup = 50_000;

/** Writes the rows of tables into a Parquet file, one row group in memory at a time. */
export class RowFileWriter {
  private columns?: readonly FileColumn[];
  private writer?: import('hyparquet-writer').ParquetWriter;

  constructor(
    private readonly path: string,
    /** The columns of all tables. */
    private readonly declared: readonly { readonly name: string; readonly type?: FeatureType }[],
  ) {}

  async write(table: Pick<TrainingSet, 'rows' | 'columns'>): Promise<void> {
    const writer = await this.open(table);
    for (let from = 0; from < table.rows; from += rowsOfGroup) {
      const rows = Math.min(rowsOfGroup, table.rows - from);
      const columnData = this.columns!.map(({ name, kind }, at) => ({ name, data: Array.from({ length: rows }, (_, row) => toFile[kind](table.columns[at]!.at(from + row))) }));
      await writer.write({ columnData, rowGroupSize: rows });
      await setImmediate();
    }
  }

  async finish(): Promise<void> {
    await (await this.open({ rows: 0, columns: [] })).finish();
  }

  private async open(first: Pick<TrainingSet, 'rows' | 'columns'>): Promise<import('hyparquet-writer').ParquetWriter> {
    if (this.writer) return this.writer;
    const { fileWriter, ParquetWriter } = await import('hyparquet-writer');
    this.columns = this.declared.map(({ name, type }, at) => ({ name, ...(type && { type }), kind: kindOf(type, first.columns[at], first.rows) }));
    const schema: SchemaElement[] = [{ name: 'root', num_children: this.columns.length }, ...this.columns.flatMap(({ name, kind }) => schemaOf(name, kind))];
    this.writer = new ParquetWriter({ writer: fileWriter(this.path), schema, createdBy: 'TARL OS', kvMetadata: [{ key: metadataKey, value: JSON.stringify(this.columns) }] });
    return this.writer;
  }
}

/** Reads such a file back, one row group in memory at a time; of a file without rows its columns. */
export async function* readRowFile(path: string): AsyncGenerator<TrainingSet> {
  const { asyncBufferFromFile, parquetMetadataAsync, parquetRead } = await import('hyparquet');
  const file = await asyncBufferFromFile(path);
  const metadata = await parquetMetadataAsync(file);
  const columns = JSON.parse(metadata.key_value_metadata?.find(({ key }) => key === metadataKey)?.value ?? '[]') as FileColumn[];
  if (metadata.row_groups.length === 0) yield withoutRows(columns);
  let before = 0;
  for (const group of metadata.row_groups) {
    const rows = Number(group.num_rows);
    const values = columns.map(() => new Array<unknown>(rows).fill(null));
    const places = new Map(columns.map(({ name }, at) => [name, at]));
    await parquetRead({
      file, metadata, rowStart: before, rowEnd: before + rows,
      parsers: { timestampFromMicroseconds: Number },
      onChunk: ({ columnName, columnData, rowStart }) => {
        const at = places.get(columnName)!;
        const read = fromFile[columns[at]!.kind];
        for (let row = 0; row < columnData.length; row++) values[at]![rowStart - before + row] = read(columnData[row]);
      },
    });
    yield { rows, columns: columns.map(({ name, type, kind }, at): TrainingColumn => ({ name, type: type ?? (kind === 'JSON' ? undefined : kind), at: (row) => values[at]![row] })) };
    before += rows;
  }
}

/** Columns of a request may hold other values than their type says. */
function kindOf(type: FeatureType | undefined, column: TrainingColumn | undefined, rows: number): Kind {
  const fitting = (kind: FeatureType): boolean => {
    for (let row = 0; row < rows; row++) {
      const value = column?.at(row);
      if (value !== null && value !== undefined && !fits[kind](value)) return false;
    }
    return true;
  };
  return (type ? [type] : (['STRING', 'DOUBLE', 'BOOL'] as const)).find(fitting) ?? 'JSON';
}

const fits: Readonly<Record<FeatureType, (value: unknown) => boolean>> = {
  INT64: (value) => int64Of(value) === value,
  DOUBLE: (value) => typeof value === 'number',
  STRING: (value) => typeof value === 'string',
  BOOL: (value) => typeof value === 'boolean',
  TIMESTAMP: Number.isSafeInteger,
  DOUBLE_LIST: (value) => Array.isArray(value) && value.every((item) => typeof item === 'number'),
};

function schemaOf(name: string, kind: Kind): SchemaElement[] {
  const optional = { name, repetition_type: 'OPTIONAL' } as const;
  switch (kind) {
    case 'DOUBLE':
      return [{ ...optional, type: 'DOUBLE' }];
    case 'INT64':
      return [{ ...optional, type: 'INT64' }];
    case 'STRING':
      return [{ ...optional, type: 'BYTE_ARRAY', converted_type: 'UTF8' }];
    case 'JSON':
      // Written as text of our own making, so that the library need not know what stands in it.
      return [{ ...optional, type: 'BYTE_ARRAY', converted_type: 'UTF8' }];
    case 'BOOL':
      return [{ ...optional, type: 'BOOLEAN' }];
    case 'TIMESTAMP':
      return [{ ...optional, type: 'INT64', converted_type: 'TIMESTAMP_MICROS' }];
    case 'DOUBLE_LIST':
      return [
        { ...optional, converted_type: 'LIST', num_children: 1 },
        { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
        { name: 'element', repetition_type: 'REQUIRED', type: 'DOUBLE' },
      ];
  }
}

const orNull = (convert: (value: any) => unknown) => (value: unknown) => (value === null || value === undefined ? null : convert(value));
const asItIs = orNull((value) => value);

/** The value of a cell as the library takes it. */
const toFile: Readonly<Record<Kind, (value: unknown) => unknown>> = {
  DOUBLE: asItIs, STRING: asItIs, BOOL: asItIs,
  INT64: orNull(BigInt),
  TIMESTAMP: orNull(BigInt),
  DOUBLE_LIST: orNull((list: readonly number[]) => [...list]),
  JSON: orNull(JSON.stringify),
};

/** And back. */
const fromFile: Readonly<Record<Kind, (value: unknown) => unknown>> = {
  DOUBLE: asItIs, STRING: asItIs, BOOL: asItIs,
  INT64: orNull(int64Of),
  TIMESTAMP: orNull(Number),
  DOUBLE_LIST: orNull((list: Iterable<number>) => Array.from(list)),
  JSON: orNull(JSON.parse),
};
