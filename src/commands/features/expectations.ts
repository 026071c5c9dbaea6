import { valueAt, type RowBlock } from '../../domain/features/chunk.js';
import type { ExpectationBreach } from '../../domain/features/monitoring/breaches/breach.js';
import { judge, type Expectation, type ExpectationFinding } from '../../domain/features/monitoring/expectations.js';
import { featureMonitoring, type FeatureMonitoring } from '../../domain/features/monitoring/state.js';
import { featureMonitoringStream } from '../../domain/features/streams.js';
import { Refusal } from '../../domain/kit/index.js';
import type { Aggregates } from '../kit/aggregates.js';

/** How long expectations are used before the log is asked, in the background, whether another process has changed them. */
const freshForMs = 2_000;
const mostRemembered = 50_000;

/** The rows of one write, checked: those at `rows`, or all. */
export interface Batch {
  readonly project: string;
  readonly group: string;
  readonly block: RowBlock;
  readonly rows?: readonly number[];
  readonly commandId: string;
}

/** Puts a breach into the log, once under its name. */
export type RecordBreach = (breach: ExpectationBreach, actor: string) => Promise<unknown>;

/** Holds the rows of writes against what is expected of their group. A group of which nothing is expected costs a look into memory. */
export class Expectations {
  private readonly checkedAt = new Map<string, number>();

  constructor(
    private readonly aggregates: Aggregates,
    private readonly record: RecordBreach,
    private readonly now: () => number = Date.now,
    /** Hears of a breach that could not be told. */
    private readonly onUntold: (breach: ExpectationBreach, error: unknown) => void = () => undefined,
  ) {}

  /** Refuses a batch that must not be stored; gives what is to be told of it once it is. */
  async judge(batch: Batch): Promise<readonly ExpectationBreach[]> {
    const { project, group } = batch;
    const expected = this.known(project, group) ?? (await this.latest(project, group));
    return judgeRows(batch, expected).map((one) => breachOf(batch, one));
  }

  /** Puts breaches into the log, each once under its name. They stand beside the rows already, so what is not told now is told by a job. */
  async tell(breaches: readonly ExpectationBreach[], actor: string): Promise<void> {
    await Promise.all(breaches.map((breach) => this.record(breach, actor).catch((error: unknown) => this.onUntold(breach, error))));
  }

  /** As this process last saw them; undefined when it never looked. */
  private known(project: string, group: string): readonly Expectation[] | undefined {
    const stream = featureMonitoringStream(project, group);
    const cached = this.aggregates.cached<FeatureMonitoring>(stream);
    if (cached && this.now() - (this.checkedAt.get(stream) ?? 0) >= freshForMs) {
      this.remember(stream);
      // What is known stays good for this write; when the log cannot be reached, the next one asks again.
      this.aggregates.load(featureMonitoring, stream).catch(() => this.checkedAt.delete(stream));
    }
    return cached?.state.expectations;
  }

  private async latest(project: string, group: string): Promise<readonly Expectation[]> {
    const stream = featureMonitoringStream(project, group);
    const { state } = await this.aggregates.load(featureMonitoring, stream);
    this.remember(stream);
    return state.expectations;
  }

  private remember(stream: string): void {
    if (this.checkedAt.size > mostRemembered) this.checkedAt.clear();
    this.checkedAt.set(stream, this.now());
  }
}

/** An expectation that rows break, and by how much. */
export interface Broken {
  readonly expectation: Expectation;
  readonly finding: ExpectationFinding;
}

/** Holds rows against what is expected of their group: what they break, refused where it is to be refused. */
export function judgeRows(rows: Omit<Batch, 'commandId'>, expected: readonly Expectation[]): readonly Broken[] {
  if (expected.length === 0) return [];
  const broken = brokenBy(rows, expected);
  const refused = broken.filter(({ expectation: { mode } }) => mode === 'REFUSE');
  if (refused.length > 0) throw refusalOf(rows.group, refused.map(({ finding }) => finding));
  return broken;
}

/** Named after the write, so that a repeat tells nothing twice. */
const breachOf = ({ project, group, commandId }: Batch, { expectation: { name, mode }, finding }: Broken): ExpectationBreach => ({ project, group, breach: `${commandId}.${name}`, mode, finding, commandId, window: null });

function brokenBy({ block, rows }: Pick<Batch, 'block' | 'rows'>, expected: readonly Expectation[]): Broken[] {
  const judged = {
    rows: rows?.length ?? block.rows,
    valuesOf: (feature: string) => {
      const column = block.columns.get(feature);
      if (column === undefined) return undefined;
      return rows ? rows.map((row) => valueAt(column, row)) : Array.from({ length: block.rows }, (_, row) => valueAt(column, row));
    },
  };
  return expected.flatMap((expectation) => {
    const finding = judge(expectation, judged);
    return finding && !finding.holds ? [{ expectation, finding }] : [];
  });
}

function refusalOf(group: string, findings: readonly ExpectationFinding[]): Refusal {
  const [{ expectation, observed, limit, rows, broken }] = findings as [ExpectationFinding];
  return new Refusal('FAILED_PRECONDITION', `The rows are not what is expected of ${group}, so none was stored: ${findings.map((finding) => finding.reason).join('; ')}`, {
    reason: 'EXPECTATION_BROKEN',
    fields: findings.map(({ feature, reason, expectation: name }) => ({ field: `values.${feature}`, description: `${reason} (${name})` })),
    metadata: { expectation, observed: String(observed), limit: String(limit), rows: String(rows), broken: String(broken) },
  });
}
