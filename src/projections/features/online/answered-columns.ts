import type { FeatureValue } from '../../../domain/features/values.js';
import type { Plan } from '../history/selection.js';
import type { PackedRows } from './packed-row.js';
import type { AnsweredFeature, AnsweredGroup } from './read.js';
import { statusOf } from './status.js';

/** A column of the answer while it is filled. Where all values are numbers, they stand in an array of their own type. */
interface Column {
  readonly numbers?: Float64Array;
  values?: (FeatureValue | null)[];
  readonly statuses: Uint8Array;
}

/** V8 keeps typed arrays up to this many bytes among its other objects. */
const mostBytesInHeap = 64;

/** Arrays of one length, by their numbers. Beyond what the heap takes they share one buffer, of which each would have one of its own. */
function arraysOf<Kind extends Float64Array | Uint8Array>(Of: { readonly BYTES_PER_ELEMENT: number; new (length: number): Kind }, count: number, length: number): (at: number) => Kind {
  if (length * Of.BYTES_PER_ELEMENT <= mostBytesInHeap) return () => new Of(length);
  const all = new Of(count * length);
  return (at) => all.subarray(at * length, (at + 1) * length) as Kind;
}

/** The columns of an answer. Each row that was found is gone through once, whatever is asked of it. */
export class AnsweredColumns {
  readonly groups: readonly AnsweredGroup[];
  private readonly columns: readonly Column[];

  constructor(
    private readonly plan: Plan,
    private readonly entities: number,
  ) {
    const { joins, columns } = plan;
    const times = arraysOf(Float64Array, joins.length, entities);
    const numbers = arraysOf(Float64Array, columns.length, entities);
    const statuses = arraysOf(Uint8Array, columns.length, entities);
    this.groups = joins.map(({ name }, join) => ({ group: name, timeUs: times(join) }));
    this.columns = columns.map(({ type }, at) => ({
      ...(type === 'DOUBLE' ? { numbers: numbers(at) } : { values: new Array<FeatureValue | null>(entities).fill(null) }),
      statuses: statuses(at),
    }));
  }

  get features(): AnsweredFeature[] {
    return this.plan.columns.map(({ name, type, join }, at) => {
      const { numbers, values, statuses } = this.columns[at]!;
      return { name, group: this.plan.joins[join]!.name, type, values: values ?? numbers!, statuses };
    });
  }

  /** Takes the rows of one group: one for each entity that has a key there. What is older than `oldestUs` counts no more. */
  fill(join: number, rows: PackedRows, keys: readonly (string | null)[], oldestUs: number): void {
    const places = this.placesOf(join);
    const times = this.groups[join]!.timeUs as Float64Array;
    for (let entity = 0; entity < this.entities; entity++) {
      const held = keys[entity] !== null && rows.next();
      const timeUs = held ? rows.timeUs : null;
      if (held) times[entity] = rows.timeUs;
      for (let place = 0; place < places.length; place++) {
        const columns = places[place];
        if (columns === undefined) {
          if (held) rows.skip();
        } else if (columns.length === 1 && held && isAllNumbers(columns[0]!) && rows.numberInto(columns[0].numbers, entity)) {
          columns[0].statuses[entity] = statusOf(timeUs, true, oldestUs);
        } else {
          const value = held ? rows.value() : null;
          for (const column of columns) put(column, entity, value, statusOf(timeUs, value, oldestUs));
        }
      }
    }
  }

  /** The columns to be filled from each place of the group's rows, up to the last that is wanted. */
  private placesOf(join: number): (Column[] | undefined)[] {
    const { definition, features } = this.plan.joins[join]!;
    const places: (Column[] | undefined)[] = [];
    this.plan.columns.forEach((column, at) => {
      if (column.join !== join) return;
      const place = definition.features.findIndex(({ name }) => name === features[column.feature]);
      while (places.length <= place) places.push(undefined);
      (places[place] ??= []).push(this.columns[at]!);
    });
    return places;
  }
}

const isAllNumbers = (column: Column): column is Column & { readonly numbers: Float64Array } => column.values === undefined;

function put(column: Column, entity: number, value: FeatureValue | null, status: number): void {
  column.statuses[entity] = status;
  // The first that is none: those before it are.
  column.values ??= Array.from(column.numbers!);
  column.values[entity] = value;
}
