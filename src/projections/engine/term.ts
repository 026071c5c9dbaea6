import { comparePositions, formatPosition, type Position } from '../../platform/eventstore/port.js';
import type { View } from '../kit/view.js';
import { noteError, readCheckpoints } from './checkpoints.js';
import { CheckpointMoved, ViewFailed } from './failures.js';
import { Lane } from './lane.js';
import type { Ownership } from './ownership.js';
import { retryParked } from './parking/retry.js';
import { backoff_ms, pause } from './pause.js';
import { clearLeftovers } from './rebuild-lock.js';
import { rebuild } from './rebuild.js';
import { withClient } from './transaction.js';
import type { World } from './world.js';

/** Views whose checkpoints are at the same position. */
interface Place {
  readonly position: Position;
  readonly views: View[];
}

/**
 * What one process does for as long as it owns the projections. Healthy views share the live lane; one that fails or is
 * behind goes on beside it until it has caught up; one that is new or has changed is built beside it.
 */
export class Term {
  private readonly live = new Set<View>();
  private readonly asides = new Set<Promise<void>>();
  private lastBuild = Promise.resolve();
  /** Ends when the live lane must start again because views have joined it. */
  private round = new AbortController();

  constructor(
    private readonly views: readonly View[],
    private readonly ownership: Ownership,
    private readonly world: World,
    private readonly signal: AbortSignal,
  ) {}

  /** Projects until the signal aborts. */
  async run(): Promise<void> {
    await clearLeftovers(this.views, this.world);
    await this.assign();
    this.aside(this.retryParked());
    for (let failures = 0; !this.signal.aborted; ) {
      this.round = new AbortController();
      try {
        const since = performance.now();
        await this.followLive(AbortSignal.any([this.signal, this.round.signal])).catch((error) => {
          if (performance.now() - since > 1000) failures = 0;
          throw error;
        });
      } catch (error) {
        if (this.signal.aborted) break;
        if (error instanceof ViewFailed) this.expel(error);
        else if (!(error instanceof CheckpointMoved)) {
          this.world.log.warn({ err: error }, 'The projections stopped for a moment');
          await pause(backoff_ms(failures++), this.signal);
        }
      }
    }
    await Promise.all(this.asides);
  }

  private async followLive(signal: AbortSignal): Promise<void> {
    const aborted = new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    await new Lane([...this.live], this.ownership.client, this.world).follow(signal);
    // Nothing to follow until a view joins.
    if (!signal.aborted) await aborted;
  }

  /** The views that are furthest make the live lane; those at another place follow together from there. */
  private async assign(): Promise<void> {
    const checkpoints = await readCheckpoints(this.world.pool);
    const places = new Map<string, Place>();
    for (const view of this.views) {
      const checkpoint = checkpoints.get(view.name);
      if (checkpoint?.version !== view.version) {
        this.aside(this.build(view));
        continue;
      }
      const text = formatPosition(checkpoint.position);
      const place = places.get(text) ?? { position: checkpoint.position, views: [] };
      place.views.push(view);
      places.set(text, place);
    }
    const [furthest, ...behind] = [...places.values()].sort((a, b) => comparePositions(b.position, a.position));
    for (const view of furthest?.views ?? []) this.live.add(view);
    for (const { views } of behind) this.aside(this.catchUp(views));
  }

  private aside(work: Promise<void>): void {
    const tracked = work.finally(() => this.asides.delete(tracked));
    this.asides.add(tracked);
  }

  private join(views: readonly View[]): void {
    for (const view of views) this.live.add(view);
    this.round.abort();
  }

  private expel(failure: ViewFailed): void {
    const view = this.views.find(({ name }) => name === failure.view)!;
    this.live.delete(view);
    this.aside(this.catchUp([view]));
  }

  /** Follows the log with these views alone until they are at its end. One that fails is tried again, ever more seldom. */
  private async catchUp(views: readonly View[]): Promise<void> {
    for (let failures = 0; !this.signal.aborted; failures++) {
      try {
        await withClient(this.world.pool, (client) => new Lane(views, client, this.world).follow(this.signal, { untilLive: true }));
        return this.join(views);
      } catch (error) {
        if (error instanceof ViewFailed && views.length > 1) return this.separate(views);
        if (error instanceof ViewFailed) await this.report(error);
        else if (!(error instanceof CheckpointMoved)) this.world.log.warn({ err: error, views: views.map(({ name }) => name) }, 'Views that are behind stopped for a moment');
      }
      await pause(backoff_ms(failures), this.signal);
    }
  }

  /** Another release may be able to take what this one's predecessor could not. */
  private async retryParked(): Promise<void> {
    const { parked, log } = this.world;
    try {
      const counts = await parked.read();
      for (const view of this.views) if (counts.has(view.name)) await retryParked(view, this.world, {}, this.signal);
    } catch (error) {
      log.warn({ err: error }, 'The parked events could not be tried again');
    }
  }

  private separate(views: readonly View[]): void {
    for (const view of views) this.aside(this.catchUp([view]));
  }

  /** Builds one view at a time, to leave the machine to those who ask. What stood there before goes on answering. */
  private async build(view: View): Promise<void> {
    const { log } = this.world;
    for (let failures = 0; !this.signal.aborted; failures++) {
      try {
        log.info({ view: view.name, version: view.version }, 'The view is new or has changed; it is built from the log');
        await this.inTurn(() => rebuild(view, this.world, () => undefined, this.signal));
        return this.join([view]);
      } catch (error) {
        if (this.signal.aborted) return;
        await this.report(error instanceof ViewFailed ? error : new ViewFailed(view.name, [], error));
      }
      await pause(backoff_ms(failures), this.signal);
    }
  }

  private inTurn(work: () => Promise<void>): Promise<void> {
    const turn = this.lastBuild.then(work, work);
    this.lastBuild = turn;
    return turn;
  }

  private async report(failure: ViewFailed): Promise<void> {
    const { log, pool } = this.world;
    log.error({ err: failure.cause, view: failure.view }, failure.message);
    try {
      await noteError(pool, failure.view, failure.message);
    } catch (error) {
      log.warn({ err: error, view: failure.view }, 'The failure of the view could not be noted');
    }
  }
}
