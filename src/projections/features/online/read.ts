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
import { AnsweredColumns } from './answered-columns.js';
import type { OnlineRows } from './lookup.js';
import type { PackedRows } from './packed-row.js';
import { RememberedPlans, type KnownDefinition } from './remembered-plans.js';
import { scopeOf } from './scope.js';

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
  readonly timeUs: readonly number[] | Float64Array;
}

export interface AnsweredFeature {
  readonly name: string;
  readonly group: string;
  readonly type: FeatureType;
  /** Typed where all are numbers that need no word of their own. */
  readonly values: readonly (FeatureValue | null)[] | Float64Array;
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

  /** `fresh`: also what was written a moment ago counts in windows. The caller's signal is asked for only where something can be called off. */
  async read(request: OnlineRequest, { fresh = false, caller = {} }: { fresh?: boolean; caller?: { readonly signal?: AbortSignal } } = {}): Promise<OnlineAnswer> {
    const plan = this.plans.find(request) ?? (await this.plan(request));
    const { joins, columns, derived } = plan;
    const { entities } = request;
    if (entities > mostEntities || entities * joins.length > mostLookups) {
      throw new Refusal('INVALID_ARGUMENT', `A read takes at most ${mostEntities} entities, and ${mostLookups} entities times groups`, { reason: 'TOO_MANY_ENTITIES' });
    }
    const keysOfJoin = keysOfJoins(request);
    const keys = joins.map(keysOfJoin);
    const rows = await this.find(joins, keys);
    const nowUs = this.now() * 1000;
    const answer = new AnsweredColumns(plan, entities);
    joins.forEach(({ definition: { ttlSeconds } }, join) => answer.fill(join, rows, keys[join]!, ttlSeconds === 0 ? -Infinity : nowUs - ttlSeconds * 1e6));
    const { groups, features } = answer;
    if (!derived) return { entities, groups, features };
    const windows = await windowsNow(plan, keysOfJoin, { source: this.windows, nowUs, fresh, signal: caller.signal });
    return { entities, groups, features: shownColumns(derived, entities, features, windows) };
  }

  /** Definitions come from memory; when they do not fit the request, they may be old, so they are looked up once. */
  private async plan(request: OnlineRequest): Promise<Plan> {
    if (request.features.length === 0) throw new Refusal('INVALID_ARGUMENT', 'A read names at least one feature', { reason: 'INVALID_INPUT', fields: [{ field: 'features', description: 'names at least one feature' }] });
    const selection = { features: request.features, service: request.service, fullNames: request.fullNames, aliases: [] };
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

  /** What is held of every entity that has a key, group by group. */
  private find(joins: Plan['joins'], keys: readonly Keys[]): Promise<PackedRows> {
    return this.rows.find(joins.map(({ definition: { project, group, version } }, join) => ({ scope: scopeOf(project, group, version), keys: known(keys[join]!) })));
  }
}

/** Encoded keys, one an entity; null where a key value is null, which no entity has. */
type Keys = readonly (string | null)[];

const known = (keys: Keys): readonly string[] => (keys.includes(null) ? keys.filter((key) => key !== null) : (keys as readonly string[]));

type KeysOfJoin = (join: PlannedJoin) => Keys;

/** The encoded keys of the entities in each group; groups with the same keys share them. */
function keysOfJoins(request: OnlineRequest): KeysOfJoin {
  const known = new Map<string, (string | null)[]>();
  return (join) => {
    const name = join.keys.map((key) => `${key.name} ${key.type}`).join();
    let keys = known.get(name);
    if (keys === undefined) known.set(name, (keys = keysOf(request, join)));
    return keys;
  };
}

/** The encoded keys of the entities in one group. */
function keysOf({ keys, entities }: OnlineRequest, { keys: parts, definition }: PlannedJoin): (string | null)[] {
  // An empty list of entities names no keys, and lacks none.
  if (entities === 0 && keys.size === 0) return [];
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
