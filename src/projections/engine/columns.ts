import pg from 'pg';
import { z } from 'zod';
import { types } from '../../platform/postgres/pool.js';
import type { ColumnShape, ColumnType, TableShape } from '../kit/view.js';

/** A column with the way its values go into Postgres and come back. Both ways end at the same value as a fold in memory has. */
export interface Column extends ColumnShape {
  /** As a parameter of type text[], or null. */
  toSql(value: unknown): unknown;
  fromSql(value: unknown): unknown;
}

/** The longest name a table may have: beside it stand its shadow and the one it replaced, and Postgres cuts names at 63. */
const longestName = 48;

/** The table that holds the rows of a zod object: its columns in snake_case. */
export function shapeOf(name: string, row: z.ZodObject, key: readonly string[]): TableShape {
  if (name.length > longestName) throw new Error(`The table name ${name} is longer than ${longestName} characters`);
  const columns = Object.entries<z.core.$ZodType>(row.shape).map(([property, schema]) => {
    const { inner, nullable } = unwrap(schema);
    return { name: snakeCase(property), property, type: columnType(inner, property), nullable };
  });
  return { name, columns, key: key.map(snakeCase) };
}

/** The columns of a table, able to convert. An absent optional property stays absent, a null one stays null. */
export function columnsOf(shape: TableShape, row: z.ZodObject): Column[] {
  return shape.columns.map((column) => {
    const schema = row.shape[column.property] as z.core.$ZodType;
    const { inner, absent } = unwrap(schema);
    const { toSql, fromSql } = inner._zod.def.type === 'bigint' ? bigints : conversions[column.type];
    return {
      ...column,
      toSql: (value) => (value === undefined || value === null ? null : toSql(value)),
      fromSql: (value) => (value === null ? absent : fromSql(value)),
    };
  });
}

/** Looks through `.optional()`, `.nullable()` and the like. `absent` is what a null in the table stands for. */
function unwrap(schema: z.core.$ZodType): { inner: z.core.$ZodType; nullable: boolean; absent: null | undefined } {
  let inner = schema;
  let nullable = false;
  let absent: null | undefined = undefined;
  for (;;) {
    if (inner instanceof z.ZodNullable) absent = null;
    if (inner instanceof z.ZodNullable || inner instanceof z.ZodOptional) nullable = true;
    else if (!(inner instanceof z.ZodDefault || inner instanceof z.ZodReadonly)) return { inner, nullable, absent };
    inner = inner.unwrap() as z.core.$ZodType;
  }
}

function columnType(schema: z.core.$ZodType, property: string): ColumnType {
  const { type } = schema._zod.def;
  const { format } = schema as { format?: string | null };
  switch (type) {
    case 'string':
      return format === 'datetime' ? 'timestamptz' : format === 'uuid' ? 'uuid' : 'text';
    case 'enum':
    case 'template_literal':
      return 'text';
    case 'literal':
      return [...(schema as z.ZodLiteral).values].every((value) => typeof value === 'string') ? 'text' : 'jsonb';
    case 'number':
      return format === 'int32' ? 'integer' : format === 'safeint' || format === 'uint32' ? 'bigint' : 'double precision';
    case 'bigint':
      return 'bigint';
    case 'boolean':
      return 'boolean';
    case 'object':
    case 'array':
    case 'tuple':
    case 'record':
    case 'union':
    case 'unknown':
    case 'any':
      return 'jsonb';
    default:
      throw new Error(`No column can hold ${property}: a row has no place for zod's ${type}`);
  }
}

interface Conversion {
  toSql(value: any): unknown;
  fromSql(value: any): unknown;
}
const asIs: Conversion = { toSql: (value) => value, fromSql: (value) => value };
const number: Conversion = { toSql: String, fromSql: Number };
const bigints: Conversion = { toSql: String, fromSql: BigInt };
const conversions: Record<ColumnType, Conversion> = {
  text: asIs,
  uuid: asIs,
  boolean: { toSql: String, fromSql: (value) => value },
  integer: number,
  bigint: number,
  'double precision': number,
  timestamptz: { toSql: canonicalTime, fromSql: (value: Date | string) => (typeof value === 'string' ? timeOfText(value) : value.toISOString()) },
  jsonb: { toSql: (value) => JSON.stringify(value), fromSql: (value) => value },
};

/** The one way a time is written in a row, whether it was folded in memory or read back: milliseconds, UTC. */
export function canonicalTime(value: string): string {
  return value.length === 24 && value.endsWith('Z') ? value : new Date(value).toISOString();
}

/** Leaves times as Postgres writes them, which is much faster than a Date on the way. */
export const timesAsText: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: 'text' | 'binary') =>
    oid === pg.types.builtins.TIMESTAMPTZ && format !== 'binary' ? String : types.getTypeParser(oid, format as 'text')) as typeof types.getTypeParser,
};

const utcText = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d{1,3})?\+00$/;

/** The canonical time of Postgres' text; a session in UTC, with milliseconds at most, needs no arithmetic. */
export function timeOfText(text: string): string {
  if (!utcText.test(text)) return (pg.types.getTypeParser(pg.types.builtins.TIMESTAMPTZ)(text) as Date).toISOString();
  return `${text.slice(0, 10)}T${text.slice(11, 19)}.${text.slice(20, -3).padEnd(3, '0')}Z`;
}

function snakeCase(property: string): string {
  return property.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
