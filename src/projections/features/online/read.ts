import { entityValueOf } from '../../../domain/features/entity-value.js';
import { encodeKey } from '../../../domain/features/keys.js';
import type { FeatureGroupDefinition } from '../../../domain/features/state.js';
import type { EntityValue, FeatureType, FeatureValue } from '../../../domain/features/values.js';
import { Refusal } from '../../../domain/kit/index.js';
import { groupsOf, planOf, type Plan, type PlannedJoin } from '../history/selection.js';
import { noTransformations, resolve, type Lookup, type TransformationSource } from '../transformations/named.js';
import { windowsNow } from '../windows/now.js';
import type { WindowSource } from '../windows/live.js';
import { shownColumns } from '../transformations/shown.js';
import type { Found, OnlineRows } from './lookup.js';
import { RememberedPlans, type KnownDefinition } from './remembered-plans.js';
import { scopeOf } from './scope.js';
import { statusOf, type StatusCode } from './status.js';

/** What a caller wants to know of many entities. */
export interface OnlineRequest {
  readonly project: string;
  /** `group:feature`, or `group` for all its features. */
  readonly features: readonly string[];
  /** Names the features in place of `features`, which is then empty. */
  readonly service?: string;
  readonly fullNames: boolean;
  readonly entities: number;
  /** Key values by the name of the key, one an entity; a group takes those that it has. */
  readonly keys: ReadonlyMap<string, readonly unknown[]>;
}

/** Columns: entry i belongs to entity i of the request. */
export interface OnlineAnswer {
  readonly entities: number;
  readonly groups: readonly AnsweredGroup[];
  readonly features: readonly AnsweredFeature[];
}

export interface AnsweredGroup {
  readonly group: string;
  /** When the values were true, in microseconds since the Unix epoch; 0 where the entity is not there. */
  readonly timeUs: Float64Array;
}

export interface AnsweredFeature {
  readonly name: string;
  readonly group: string;
  readonly type: FeatureType;
  readonly values: readonly (FeatureValue | null)[];
  readonly statuses: Uint8Array;
}

/** The most entities of one request, and the most lookups that it may cost. */
const mostEntities = 10_000;
const mostLookups = 50_000;

/** Reads the latest values: one round trip to Postgres, whatever is asked. */
export class OnlineReader {
  private readonly plans: RememberedPlans;

  constructor(
    private readonly definitionOf: (project: string, group: string) => Promise<FeatureGroupDefinition>,
    private readonly refresh: (project: string, group: string) => Promise<unknown>,
    private readonly rows: OnlineRows,
    private readonly now: () => number = Date.now,
    private readonly transformations: TransformationSource = noTransformations,
    private readonly windows?: WindowSource,
    known: KnownDefinition = () => undefined,
  ) {
    this.plans = new RememberedPlans(known);
  }

  /** `fresh`: also what was written a moment ago counts in windows. */
  async read(request: OnlineRequest, asked: { fresh?: boolean; signal?: AbortSignal } = {}): Promise<OnlineAnswer> {
    const plan = this.plans.find(request) ?? (await this.plan(request));
    const { joins, columns, derived } = plan;
    const { entities } = request;
    if (entities > mostEntities || entities * joins.length > mostLookups) {
      throw new Refusal('INVALID_ARGUMENT', `A read takes at most ${mostEntities} entities, and ${mostLookups} entities times groups`, { reason: 'TOO_MANY_ENTITIES' });
    }
    const found = await this.find(request, joins);
    const nowUs = this.now() * 1000;
    const groups = joins.map(({ name }, join) => ({ group: name, timeUs: Float64Array.from({ length: entities }, (_, entity) => found[join * entities + entity]?.[0] ?? 0) }));
    const features = columns.map(({ name, type, join, feature }) => {
      const { definition, features: names, name: group } = joins[join]!;
      const place = definition.features.findIndex((spec) => spec.name === names[feature]);
      return { name, group, type, ...column(found, join * entities, entities, place, definition.ttlSeconds === 0 ? -Infinity : nowUs - definition.ttlSeconds * 1e6) };
    });
    if (!derived) return { entities, groups, features };
    const keys = (join: PlannedJoin) => keysOf(request, join);
    const windows = await windowsNow(plan, keys, { source: this.windows, nowUs, fresh: asked.fresh === true, signal: asked.signal });
    return { entities, groups, features: shownColumns(derived, entities, features, windows) };
  }

  /** Definitions come from memory; when they do not fit the request, they may be old, so they are looked up once. */
  private async plan(request: OnlineRequest): Promise<Plan> {
    if (request.features.length === 0) throw new Refusal('INVALID_ARGUMENT', 'A read names at least one feature', { reason: 'INVALID_INPUT', fields: [{ field: 'features', description: 'names at least one feature' }] });
    const selection = { features: request.features, fullNames: request.fullNames, aliases: [] };
    const groups = groupsOf(selection);
    const plan = async () => {
      const { definitions, transformations } = await resolve(groups, this.lookup(request.project));
      const found = planOf(selection, definitions, [], transformations);
      if (transformations.size === 0) this.plans.keep(request, definitions, found);
      return found;
    };
    try {
      return await plan();
    } catch (error) {
      if (!(error instanceof Refusal) || error.code !== 'INVALID_ARGUMENT') throw error;
      await Promise.all(groups.map((group) => this.refresh(request.project, group)));
      return plan();
    }
  }

  private lookup(project: string): Lookup {
    const { definitionOf, transformations } = this;
    return {
      group: (name) => definitionOf(project, name),
      transformation: (name) => transformations.toRead(project, name),
      knownTransformation: (name) => transformations.known(project, name),
    };
  }

  /** What is held of every entity in every group, group by group. */
  private async find(request: OnlineRequest, joins: Plan['joins']): Promise<(Found | undefined)[]> {
    const scopes: string[] = [];
    const keys: string[] = [];
    const places: number[] = [];
    joins.forEach((join, index) => {
      const scope = scopeOf(join.definition.project, join.definition.group, join.definition.version);
      keysOf(request, join).forEach((key, entity) => {
        if (key === null) return;
        scopes.push(scope);
        keys.push(key);
        places.push(index * request.entities + entity);
      });
    });
    const rows = await this.rows.find({ scopes, keys });
    if (rows.length === joins.length * request.entities) return rows;
    const found = new Array<Found | undefined>(joins.length * request.entities).fill(undefined);
    rows.forEach((row, index) => (found[places[index]!] = row));
    return found;
  }
}

/** The encoded keys of the entities in one group; null where a key value is null, which no entity has. */
function keysOf({ keys, entities }: OnlineRequest, { keys: parts, definition }: PlannedJoin): (string | null)[] {
  const columns = parts.map(({ name, type }) => {
    const values = keys.get(name);
    if (values === undefined) {
      throw new Refusal('INVALID_ARGUMENT', `The entities have no ${name}, which is a key of ${definition.group}`, {
        reason: 'KEY_MISSING',
        fields: [{ field: `entities.${name}`, description: `is needed as a key of ${definition.group}` }],
      });
    }
    return { name, type, values };
  });
  return Array.from({ length: entities }, (_, entity) => {
    const key: EntityValue[] = [];
    for (const { name, type, values } of columns) {
      const raw = values[entity];
      if (raw === null || raw === undefined) return null;
      const value = entityValueOf(raw, type);
      if (value === undefined) {
        throw new Refusal('INVALID_ARGUMENT', `entities[${entity}].${name} is not ${type}`, { reason: 'INVALID_INPUT', fields: [{ field: `entities[${entity}].${name}`, description: `is not ${type}` }] });
      }
      key.push(value);
    }
    return encodeKey(key);
  });
}

/** One feature's values and statuses. A row written before the feature was registered ends before its place. */
function column(found: readonly (Found | undefined)[], from: number, entities: number, place: number, oldestUs: number): Pick<AnsweredFeature, 'values' | 'statuses'> {
  const values = new Array<FeatureValue | null>(entities);
  const statuses = new Uint8Array(entities);
  for (let entity = 0; entity < entities; entity++) {
    const row = found[from + entity];
    const value = (row?.[1][place] ?? null) as FeatureValue | null;
    values[entity] = value;
    statuses[entity] = statusOf(row, value, oldestUs) satisfies StatusCode;
  }
  return { values, statuses };
}
