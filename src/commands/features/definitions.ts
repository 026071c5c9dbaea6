import type { Decider } from '../../domain/kit/index.js';
import type { Aggregates } from '../kit/aggregates.js';

/** How long a definition is used before the log is asked, in the background, whether another process has changed it. */
const freshForMs = 2_000;

/** Definitions of one kind, kept in memory: looking one up costs no query. */
export class Definitions<State extends { readonly status: string }> {
  private readonly checkedAt = new Map<string, number>();

  constructor(
    private readonly aggregates: Aggregates,
    private readonly decider: Decider<State>,
    private readonly streamOf: (project: string, name: string) => string,
  ) {}

  /** The definition as this process last saw it, a moment old at most where others change it; undefined when it never saw it. */
  known(project: string, name: string): State | undefined {
    const stream = this.streamOf(project, name);
    const state = this.aggregates.cached<State>(stream)?.state;
    if (state && state.status !== 'absent' && !(Date.now() - (this.checkedAt.get(stream) ?? 0) < freshForMs)) {
      this.remember(stream);
      // What is known stays good for this call; when the log cannot be reached, the next one asks again.
      this.aggregates.load(this.decider, stream).catch(() => this.checkedAt.delete(stream));
    }
    return state;
  }

  /** The definition as the log has it now. */
  async latest(project: string, name: string): Promise<State> {
    const stream = this.streamOf(project, name);
    const { state } = await this.aggregates.load(this.decider, stream);
    if (state.status !== 'absent') this.remember(stream);
    return state;
  }

  /** What is known, or what the log has where nothing is. */
  async present(project: string, name: string): Promise<State> {
    const known = this.known(project, name);
    return known && known.status !== 'absent' ? known : this.latest(project, name);
  }

  private remember(stream: string): void {
    if (this.checkedAt.size > 50_000) this.checkedAt.clear();
    this.checkedAt.set(stream, Date.now());
  }
}
