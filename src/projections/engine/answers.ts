import { z } from 'zod';

/** What becomes of a rebuild whose rows differ from the live ones. */
export const onDifference = z.enum(['SWITCH', 'STOP']).meta({ id: 'OnDifference' });

export const rebuildProgress = z
  .object({
    events: z.int(),
    done: z.number().describe('Share of the log read, 0 to 1.'),
    eventsPerSecond: z.number(),
    secondsLeft: z.number(),
    phase: z.string().describe('reading, writing, indexing, following, comparing or switching.'),
  })
  .meta({ id: 'RebuildProgress' });

const place = { id: z.string(), type: z.string(), stream: z.string(), revision: z.string(), position: z.string() };
const event = z.object(place).meta({ id: 'EventPlace' });

const rowDifference = z
  .object({
    table: z.string(),
    kind: z.string().describe('What a rebuild would do with the row: added, removed or changed.'),
    key: z.record(z.string(), z.string()).describe('The columns of its key.'),
    columns: z.array(
      z
        .object({
          name: z.string(),
          live: z.string().optional().describe('Left out where it is null, or there is no such row.'),
          replayed: z.string().optional(),
        })
        .meta({ id: 'ColumnDifference' }),
    ),
    event: event.optional().describe('The first event after which the replayed row is no longer like the live one; left out where no event of the log tells of the row.'),
  })
  .meta({ id: 'RowDifference' });

const tableDifference = z
  .object({
    table: z.string(),
    added: z.int(),
    removed: z.int(),
    changed: z.int(),
    columns: z.record(z.string(), z.int()).describe('Of the changed rows, how many differ in each column.'),
  })
  .meta({ id: 'TableDifference' });

/** How a view's rows differ from what the log gives. */
export const viewComparison = z
  .object({
    view: z.string(),
    position: z.string().describe('Where both stood.'),
    same: z.boolean(),
    tables: z.array(tableDifference),
    rows: z.array(rowDifference).describe('The first of the rows that differ, by key.'),
  })
  .meta({ id: 'ViewComparison' });

/** Work that goes on by itself (AIP-151). */
export const operation = z
  .object({
    name: z.string().describe('`operations/{id}`'),
    done: z.boolean(),
    metadata: z
      .object({
        kind: z.string().describe('rebuild, comparison or rollback.'),
        view: z.string(),
        actor: z.string(),
        state: z.string().describe('running, paused, done, failed or cancelled.'),
        onDifference: onDifference.optional(),
        startedAt: z.iso.datetime(),
        updatedAt: z.iso.datetime(),
        progress: rebuildProgress.optional(),
        comparison: viewComparison.optional().describe('How the live rows differ from what the log gives, once it is known.'),
      })
      .meta({ id: 'OperationMetadata' }),
    error: z.object({ code: z.string(), message: z.string() }).meta({ id: 'OperationError' }).optional(),
  })
  .meta({ id: 'Operation' });

export const operationList = z.object({ operations: z.array(operation) }).meta({ id: 'OperationList' });

/** A key of a view that stands still while the rest of the view goes on. */
export const parkedKey = z
  .object({
    view: z.string(),
    key: z.string(),
    event: event.describe('The first event that waits.'),
    error: z.string().optional().describe('Why it cannot be taken; left out when it only waits for an earlier event of its stream.'),
    attempts: z.int(),
    waiting: z.int().describe('How many later events wait behind it.'),
    parkedAt: z.iso.datetime(),
  })
  .meta({ id: 'ParkedKey' });

export const parkedKeyList = z.object({ parked: z.array(parkedKey) }).meta({ id: 'ParkedKeyList' });

/** What became of parked events that were tried again. */
export const retryOutcome = z
  .object({ taken: z.int().describe('Events that wait no longer.'), left: z.int().describe('Events of the view that still wait.') })
  .meta({ id: 'RetryOutcome' });

/** How a view is. */
export const viewStatus = z
  .object({
    name: z.string(),
    version: z.int(),
    state: z.string().describe('live, catching-up, rebuilding or failing.'),
    error: z.string().optional().describe('Why it fails, where it does, or why this release leaves it to a newer one.'),
    position: z.string(),
    lagPositions: z.string().describe("Bytes of log between the view and the log's end, as positions count them."),
    lagMs: z.int().describe('Age of the oldest event not yet projected, 0 when there is none.'),
    parkedKeys: z.int().describe('Keys that stand still because of an event that cannot be taken.'),
    eventsPerSecond: z.number().describe('Over the last minute.'),
    eventsHandled: z.int().describe('Events that it has taken as they came; those of rebuilds are left out.'),
    comparedAt: z.iso.datetime().optional().describe('When its rows were last compared with what the log gives.'),
    differingRows: z.int().optional().describe('How many of them differed then.'),
    slices: z
      .array(
        z
          .object({
            slice: z.int(),
            position: z.string(),
            lagMs: z.int().describe('Age of the oldest event that the slice has yet to see.'),
            owner: z.string().optional().describe('The process that projects the slice; left out for the moment in which none does.'),
          })
          .meta({ id: 'SliceStatus' }),
      )
      .describe('The parts that the view is split into by key, one where it is not.'),
  })
  .meta({ id: 'ViewStatus' });

export const viewStatusList = z.object({ projections: z.array(viewStatus) }).meta({ id: 'ViewStatusList' });
