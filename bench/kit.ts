/** One measured claim beside its limit, taken in the same run where it does not say that it was recorded. */
export interface Row {
  readonly what: string;
  readonly measured: number;
  readonly unit: string;
  /** The most that could have been reached: the same client against a stub, the bare library, another engine, a recorded server. */
  readonly limit?: { readonly what: string; readonly measured: number };
  /** measured / limit, or limit / measured where less is better. */
  readonly ratio?: number;
  /** What is aimed at, in words. */
  readonly target: string;
  readonly reached: boolean;
}

export interface BenchOptions {
  /** Shrinks the work for a quick look; the numbers of the README are taken at 1. */
  readonly scale: number;
  readonly log: (line: string) => void;
}

export type Bench = (options: BenchOptions) => Promise<Row[]>;

export const median = (values: readonly number[]): number => percentile(values, 0.5);

/** The value below which a share (0 to 1) of the values lies. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? NaN;
}

/** Runs measured and limit in turns, so that a noisy neighbour hits both, and gives the medians of each. */
export async function inTurns(rounds: number, measured: () => Promise<number>, limit: () => Promise<number>) {
  const taken = { measured: [] as number[], limit: [] as number[] };
  for (let round = 0; round < rounds; round++) {
    taken.measured.push(await measured());
    taken.limit.push(await limit());
  }
  return { measured: median(taken.measured), limit: median(taken.limit), ratio: median(taken.measured.map((value, round) => value / taken.limit[round]!)) };
}

const number = (value: number) => (value >= 100 ? Math.round(value).toLocaleString('en') : value.toPrecision(3));

/** The rows as a Markdown table, the form that the README holds. */
export function tableOf(rows: readonly Row[]): string {
  const line = ({ what, measured, unit, limit, ratio, target, reached }: Row) =>
    `| ${what} | ${number(measured)} ${unit} | ${limit ? `${number(limit.measured)} ${limit.what}` : ''} | ${ratio === undefined ? '' : ratio.toFixed(2)} | ${target} | ${reached ? 'yes' : 'no'} |`;
  return ['| what | measured | limit | ratio | reach | reached |', '|---|---|---|---|---|---|', ...rows.map(line)].join('\n');
}
