import { whole } from '../src/cli/progress.js';
import { table } from '../src/cli/table.js';

/** What each step did and how fast, for the table at the end. */
export class Report {
  private readonly steps: { step: string; what: string; seconds: string; rate: string }[] = [];

  /** Does a step and notes its time; `count` says how much it did, in `unit`; without a unit only the time counts. */
  async time<T>(step: string, unit: string, work: () => Promise<T>, count: (result: T) => number = () => 0): Promise<T> {
    console.log(`\n${step}`);
    const started = performance.now();
    const result = await work();
    const seconds = (performance.now() - started) / 1000;
    const done = count(result);
    this.steps.push({ step, what: unit === '' ? '' : `${whole.format(done)} ${unit}`, seconds: seconds.toFixed(2), rate: unit === '' ? '' : `${whole.format(done / seconds)} ${unit}/s` });
    return result;
  }

  text(): string {
    return table(this.steps);
  }
}
