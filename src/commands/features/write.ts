import { encodeChunk, featureRowsWritten } from '../../domain/features/chunk.js';
import type { ExpectationBreach } from '../../domain/features/monitoring/breaches/breach.js';
import { featureRowsStream } from '../../domain/features/streams.js';
import { Refusal } from '../../domain/kit/index.js';
import { comparePositions, formatPosition, type NewEvent, type Position } from '../../platform/eventstore/port.js';
import { inPlaces } from '../../platform/rows/batch.js';
import type { RequestContext } from '../kit/command.js';
import { requirePermission } from '../kit/execute.js';
import { bodyHashOf, requireSameBody, type RememberingCommandLog } from '../kit/idempotency.js';
import { commandIdOf, eventIdOf, eventMetadata, type CommandIdentity } from '../kit/metadata.js';
import { checkRows, type CheckedRows } from './check-rows.js';
import { noTransformation, type TransformationOf } from './computed-columns.js';
import type { Expectations } from './expectations.js';
import { knows, writableGroup, type WritableGroup } from './group.js';
import type { FeatureGroups } from './groups.js';
import type { RowFault, WriteReply, WriteRequest } from './incoming.js';
import type { Quarantine } from './quarantine/quarantine.js';
import { rowReader, type RefusedRow } from './quarantine/refused-row.js';
import type { RowLog } from './row-log.js';
import { oversized, split, type Piece } from './split.js';

/** What a caller must hold to write rows. */
export const writePermission = 'features.write';

/** One request takes at most this many rows; more go in several, or through a stream. */
export const mostRows = 100_000;
/** So many faults are named; the rest is counted. */
const mostFaults = 100;

/** Checks rows against their group and appends them, whichever wire they came by. */
export class FeatureWriter {
  private readonly underWay = new Map<string, Promise<void>>();

  constructor(
    private readonly groups: FeatureGroups,
    private readonly rowLog: RowLog,
    private readonly commandLog: RememberingCommandLog,
    private readonly quarantine: Pick<Quarantine, 'keep'>,
    private readonly transformationOf: TransformationOf = noTransformation,
    private readonly expectations?: Pick<Expectations, 'judge' | 'tell'>,
  ) {}

  /** Refuses with every fault named when a row is bad, unless the request takes good rows alone. Safe to repeat under the same idempotency key. */
  async write(request: WriteRequest, context: RequestContext): Promise<WriteReply> {
    return (await this.prepare(request, context))();
  }

  /** Everything that comes before the append. Who prepares several writes at once starts them in order by calling the results in order, and must call each. */
  async prepare(request: WriteRequest, context: RequestContext): Promise<() => Promise<WriteReply>> {
    requirePermission({ permission: writePermission }, request.project, context);
    const commandId = commandIdOf(context);
    if (context.idempotencyKey === undefined) return this.prepareOnce(request, { commandId }, context);
    return this.afterItsTwin(commandId, () => this.prepareOnce(request, { commandId, bodyHash: request.bodyHash ?? hashOf(request) }, context));
  }

  /** The same key a second time while the first is under way waits for its end, and then finds it in the log. */
  private async afterItsTwin(commandId: string, prepare: () => Promise<() => Promise<WriteReply>>): Promise<() => Promise<WriteReply>> {
    const before = this.underWay.get(commandId);
    const { promise, resolve } = Promise.withResolvers<void>();
    this.underWay.set(commandId, promise);
    const leave = () => {
      if (this.underWay.get(commandId) === promise) this.underWay.delete(commandId);
      resolve();
    };
    try {
      await before;
      const send = await prepare();
      return () => send().finally(leave);
    } catch (error) {
      leave();
      throw error;
    }
  }

  private async prepareOnce(request: WriteRequest, identity: CommandIdentity, context: RequestContext): Promise<() => Promise<WriteReply>> {
    const { group, checked } = await this.check(request);
    const { block, faults } = checked;
    const bad = new Set(faults.map(({ row }) => row));
    if (bad.size > 0 && !request.partial && !request.quarantine) throw refusalOf(faults, bad.size, block.rows);
    const reply = { commandId: identity.commandId, rowsWritten: block.rows - bad.size, rowsRejected: bad.size, rowsQuarantined: request.quarantine ? bad.size : 0, faults: faults.slice(0, mostFaults) };
    const recorded = identity.bodyHash === undefined ? undefined : await this.commandLog.find(identity.commandId);
    const good = bad.size === 0 ? undefined : Array.from({ length: block.rows }, (_, row) => row).filter((row) => !bad.has(row));
    if (recorded) {
      requireSameBody(recorded, identity.bodyHash!);
      return async () => ({ ...reply, position: recorded.position });
    }
    const batch = { project: request.project, group: request.group, block, rows: good, commandId: identity.commandId };
    const breaches = good?.length === 0 ? [] : ((await this.expectations?.judge(batch)) ?? []);
    // Before the append: what was stored is found again in the log, and then nothing is kept a second time.
    if (request.quarantine) await this.quarantine.keep(refusedRows(request, faults, identity), context.caller.actor);
    const pieces = split(block, good, group.definition.partitions);
    return async () => {
      const position = await this.append(pieces, { request, group, identity, context, breaches });
      // After it, so that a breach never speaks of rows that are not in the log.
      if (breaches.length > 0) await this.expectations?.tell(breaches, context.caller.actor);
      return { ...reply, position: position === undefined ? '' : formatPosition(position) };
    };
  }

  private async check({ project, group: name, version, rows }: WriteRequest): Promise<{ group: WritableGroup; checked: CheckedRows }> {
    if (rows.rows === 0) throw new Refusal('INVALID_ARGUMENT', 'A write takes at least one row', { reason: 'NO_ROWS' });
    if (rows.rows > mostRows) throw new Refusal('INVALID_ARGUMENT', `A write takes at most ${mostRows} rows, not ${rows.rows}`, { reason: 'TOO_MANY_ROWS' });
    let group = await writableGroup(await this.groups.toWrite(project, name, version), this.transformationOf);
    if (!knows(group, rows)) {
      await this.groups.latest(project, name);
      group = await writableGroup(await this.groups.toWrite(project, name, version), this.transformationOf);
    }
    const { block, faults } = checkRows(rows, group);
    return { group, checked: { block, faults: [...faults, ...oversized(block)].sort((a, b) => a.row - b.row) } };
  }

  /**
   * All partitions at once. Of a request that can be repeated, or that broke an expectation, the last piece is written when the
   * others are there: found in the log, it says that nothing is missing, and what was broken.
   */
  private async append(pieces: readonly Piece[], write: Write): Promise<Position | undefined> {
    const { identity, breaches } = write;
    const send = (piece: Piece, index: number, marks: Marks, after?: Promise<unknown>) =>
      this.rowLog.append(featureRowsStream(write.request.project, write.request.group, piece.partition), eventOf(piece, index, marks, write), piece.bytes + bytesOf(marks), after);
    const plain = { identity: { commandId: identity.commandId } };
    if (identity.bodyHash === undefined && breaches.length === 0) return latestOf(await Promise.all(pieces.map((piece, index) => send(piece, index, plain))));
    const last = pieces.length - 1;
    if (last < 0) return undefined;
    const earlier = Promise.all(pieces.slice(0, last).map((piece, index) => send(piece, index, plain)));
    // It takes its place in its partition now, before any later request does.
    const position = latestOf([await send(pieces[last]!, last, { identity, breaches }, last > 0 ? earlier : undefined), ...(await earlier)])!;
    if (identity.bodyHash !== undefined) this.commandLog.remember(identity.commandId, { bodyHash: identity.bodyHash, position: formatPosition(position), revision: 0n });
    return position;
  }
}

interface Write {
  readonly request: WriteRequest;
  readonly group: WritableGroup;
  readonly identity: CommandIdentity;
  readonly context: RequestContext;
  readonly breaches: readonly ExpectationBreach[];
}

/** What an event says of its command, and of what its rows broke together with all others. */
interface Marks {
  readonly identity: CommandIdentity;
  readonly breaches?: readonly ExpectationBreach[];
}

const bytesOf = ({ breaches = [] }: Marks): number => (breaches.length > 0 ? Buffer.byteLength(JSON.stringify(breaches)) : 0);

/** The event's id comes from all that is known of the command. */
function eventOf({ partition, block }: Piece, index: number, { identity: marked, breaches = [] }: Marks, { request, group, identity, context }: Write): NewEvent {
  const { project, group: name, mode } = request;
  return {
    id: eventIdOf(identity, index),
    type: featureRowsWritten.type,
    data: encodeChunk({ project, group: name, version: group.definition.version, partition, mode }, block),
    metadata: { ...eventMetadata(marked, context, featureRowsWritten.version, project), ...(breaches.length > 0 && { breaches }) },
  };
}

const latestOf = (positions: readonly Position[]): Position | undefined =>
  positions.reduce<Position | undefined>((latest, position) => (latest && comparePositions(latest, position) > 0 ? latest : position), undefined);

/** The bad rows of a request; their ids come from the command, so that a repeat keeps them once. */
function refusedRows({ project, group, version, mode, rows, sourceOf }: WriteRequest, faults: readonly RowFault[], identity: CommandIdentity): RefusedRow[] {
  const read = rowReader(rows);
  return [...Map.groupBy(faults, ({ row }) => row)].map(([row, own]) => ({
    id: eventIdOf(identity, `refused ${row}`),
    project, group, mode,
    ...(version !== undefined && { version }),
    row: read(row),
    faults: own.map(({ field, description }) => ({ field, description: sourceOf ? inPlaces(description, sourceOf) : description })),
    source: sourceOf?.(row) ?? '',
  }));
}

/** Rows are many, so they are hashed as they came, without putting the fields of objects in order. */
function hashOf({ project, group, version, mode, partial, quarantine, rows }: WriteRequest): string {
  const { keys, timeUs, features } = rows;
  return bodyHashOf('WriteFeatures', JSON.stringify([project, group, mode, partial, [...keys], Array.from(timeUs), [...features], ...(version === undefined ? [] : [version]), ...(quarantine ? ['quarantine'] : [])]));
}

function refusalOf(faults: readonly RowFault[], bad: number, rows: number): Refusal {
  const fields = faults.slice(0, mostFaults).map(({ row, field, description }) => ({ field: `rows[${row}].${field}`, description }));
  const [first] = fields;
  return new Refusal('INVALID_ARGUMENT', `${bad} of ${rows} rows cannot be stored, so none was; ${first!.field} ${first!.description}`, {
    reason: 'ROWS_REJECTED',
    fields,
    metadata: { rowsRejected: String(bad) },
  });
}
