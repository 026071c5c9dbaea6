import type { Connections } from '../connections.js';

/** Queries learn of a key that another process has parked within this time. */
const maxAge_ms = 1000;

type Counts = ReadonlyMap<string, number>;

/** How many keys of each view are parked: asked along with every query, so read once a second at most. */
export class ParkedCounts {
  private known: Promise<Counts> | undefined;
  private readAt = 0;

  constructor(private readonly pool: Connections) {}

  /** The counts of all views that have parked keys. */
  read(): Promise<Counts> {
    if (this.known && performance.now() - this.readAt < maxAge_ms) return this.known;
    this.readAt = performance.now();
    const known = countParked(this.pool);
    this.known = known;
    known.catch(() => this.known === known && this.forget());
    return known;
  }

  /** This process has parked a key, or let one go: the next query looks again. */
  forget(): void {
    this.known = undefined;
  }
}

/** The counts as they are now. */
export async function countParked(pool: Connections): Promise<Counts> {
  const { rows } = await pool.query('select view, count(*)::int as count from projection_parked_keys where not shadow group by view');
  return new Map(rows.map(({ view, count }) => [view, count]));
}
