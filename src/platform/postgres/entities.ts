import { EntitySchema } from 'typeorm';
import type { TableShape } from '../../projections/kit/view.js';

/** The entity through which a view's table is read with TypeORM; its name is the table's. */
export function entityOf({ name, columns, key }: TableShape): EntitySchema {
  return new EntitySchema({
    name,
    tableName: name,
    columns: Object.fromEntries(
      columns.map((column) => [
        column.property,
        { type: column.type, name: column.name, nullable: column.nullable, primary: key.includes(column.name) },
      ]),
    ),
  });
}
