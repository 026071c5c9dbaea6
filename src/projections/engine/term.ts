import { Refusal } from '../../domain/kit/index.js';
import type { View } from '../kit/view.js';
import { noteError, readCheckpoints, type ViewCheckpoint } from './checkpoints.js';
import { CheckpointMoved, ViewFailed, ViewsHeldUp } from './failures.js';
import { Lane } from './lane.js';
import type { Ownership } from './ownership.js';
import { countParked } from './parking/counts.js';
import { retryParked } from './parking/retry.js';
import { backoff_ms, pause, unlessAborted } from './pause.js';
import { placesOf } from './places.js';
import { clearLeftovers } from './rebuild-lock.js';
import { rebuild } from './rebuild.js';
import { sliceName, wholeView, type Duty, type Slice } from './slices.js';
import type { World } from './world.js';

/** How often it is looked which slices there are and who owns them. A dead owner's work lies still for no longer. */
const look_ms = 500;

/** What is refused so is granted once slices have come together, or somebody else is done. */
const comesByItself: ReadonlySet<string> = new Set(['UNAVAILABLE', 'ABORTED']);

/** A duty that this process has, until it leaves it. */
interface Holding {
  readonly duty: Duty;
  readonly left: AbortController;
  /** True once its view was seen split or built otherwise: also when it is by now as before, nobody follows the log for it. */
  isOutdated: boolean;
  /** Ends when nothing is written for it any more, once it was left. */
  work: Promise<void>;
}

/**
 * What one process does for as long as it shares the projections. Healthy slices share the live lane; one that fails or
 * is behind goes on beside it until it has caught up; a view that is new or has changed is built beside it.
 */
export class Term {
  private readonly holdings = new Map<string, Holding>();
  private readonly live = new Set<Slice>();
  private readonly asides = new Set<Promise<void>>();
  private readonly retried = new Set<View>();
  private newer: ReadonlyMap<View, number> = new Map();
  private lastBuild = Promise.resolve();
  /** Ends when the live lane must start again because slices have joined or left it. */
  private round = new AbortController();
  private liveRound: Promise<void> = Promise.resolve();
  /** Ends when it must be looked at once who owns what. */
  private nextLook = new AbortController();

  constructor(
    private readonly views: readonly View[],
    private readonly ownership: Ownership,
    private readonly world: World,
    private readonly signal: AbortSignal,
  ) {}

  /** Projects until the signal aborts. */
  async run(): Promise<void> {
    await clearLeftovers(this.views, this.world);
    try {
      await Promise.all([this.keepShare(), this.keepLive()]);
    } finally {
      await Promise.all(this.asides);
      for (const { duty } of this.holdings.values()) this.world.reached.leave(duty);
    }
  }

  private async keepShare(): Promise<void> {
    while (!this.signal.aborted) {
      this.nextLook = new AbortController();
      try {
        await this.share();
      } catch (error) {
        if (!this.signal.aborted) this.world.log.warn({ err: error }, 'Who owns the projections cannot be seen for the moment');
      }
      await pause(look_ms, AbortSignal.any([this.signal, this.nextLook.signal]));
    }
  }

  /** Gives away what is beyond this process's share, takes up what is free, and follows a view that is split anew. */
  private async share(): Promise<void> {
    const checkpoints = await readCheckpoints(this.world.pool);
    const all = this.views.flatMap((view) => dutiesOf(view, checkpoints.get(view.name)));
    const { taken, excess, newer } = await this.ownership.balance(all);
    this.tellOf(newer);
    for (const duty of excess) {
      await this.leave(duty);
      await this.ownership.give(duty);
    }
    const own = new Set([...this.holdings.keys(), ...taken.map(idOf)]);
    const changed = all.filter((duty) => own.has(idOf(duty)) && !this.isHeld(duty));
    for (const duty of changed) await this.leave(duty);
    if (changed.length > 0) await this.enter(changed, checkpoints);
    if (taken.length + excess.length > 0) this.world.log.info({ slices: this.holdings.size, taken: taken.length, given: excess.length }, 'This process keeps read models');
  }

  /** A release that is older would build its version over a newer one, which would build its own over that, and so on. */
  private tellOf(newer: ReadonlyMap<View, number>): void {
    const told = new Set([...this.newer.keys()].map(({ name }) => name));
    for (const [{ name, version }, latest] of newer) {
      if (!told.has(name)) this.world.log.warn({ view: name, version, newer: latest }, 'A newer release has this view in a later version; this one keeps the rows of its own until those are built, and then leaves the view alone');
    }
    this.newer = newer;
  }

  private isHeld(duty: Duty): boolean {
    const held = this.holdings.get(idOf(duty));
    return held !== undefined && !held.isOutdated && held.duty.of === duty.of;
  }

  /** Where none follows the log yet, the slices that are furthest make the live lane; those at another place follow together from there. */
  private async enter(duties: readonly Duty[], checkpoints: ReadonlyMap<string, ViewCheckpoint>): Promise<void> {
    const built = duties.filter(({ isBuilt }) => isBuilt).map((slice) => ({ slice, position: checkpoints.get(slice.view.name)!.slices[slice.index]!.position }));
    const [furthest, ...behind] = await placesOf(built, this.world.eventStore, this.signal);
    for (const duty of duties) this.holdings.set(idOf(duty), { duty, left: new AbortController(), isOutdated: false, work: Promise.resolve() });
    for (const duty of duties.filter(({ isBuilt }) => !isBuilt)) this.aside([duty], this.build(duty));
    if (furthest && this.live.size === 0) this.join(furthest);
    else if (furthest) behind.push(furthest);
    for (const group of behind) this.aside(group, this.catchUp(group));
    for (const { slice: { view, index } } of built) if (index === 0) this.aside([], this.retryParked(view));
  }

  /** Returns when nothing is written for it any more. */
  private async leave(duty: Duty): Promise<void> {
    const holding = this.holdings.get(idOf(duty));
    if (!holding) return;
    this.holdings.delete(idOf(duty));
    holding.left.abort();
    if (this.live.delete(holding.duty)) {
      this.round.abort();
      await this.liveRound;
    }
    await holding.work;
    this.world.reached.leave(holding.duty);
  }

  private async keepLive(): Promise<void> {
    for (let failures = 0; !this.signal.aborted; ) {
      this.round = new AbortController();
      const signal = AbortSignal.any([this.signal, this.round.signal]);
      const since = performance.now();
      try {
        const following = new Lane([...this.live], this.world).follow(signal, { onLeftOut: this.takeUpAnew });
        this.liveRound = following.catch(() => undefined);
        await following;
        // Nothing to follow until a slice joins.
        await aborted(signal);
      } catch (error) {
        if (this.signal.aborted) break;
        if (performance.now() - since > 1000) failures = 0;
        if (error instanceof ViewFailed) this.expel(({ view, index }) => view.name === error.view && index === error.slice);
        else if (error instanceof ViewsHeldUp) for (const name of error.views) this.expel(({ view }) => view.name === name);
        else if (error instanceof CheckpointMoved) this.nextLook.abort();
        else {
          this.world.log.warn({ err: error }, 'The projections stopped for a moment');
          await pause(backoff_ms(failures++), this.signal);
        }
      }
    }
  }

  /** A split may be taken back before the next look, which then sees nothing that has changed. */
  private readonly takeUpAnew = (slices: readonly Slice[]): void => {
    for (const slice of this.still(slices)) this.holdings.get(idOf(slice))!.isOutdated = true;
    this.nextLook.abort();
  };

  /** Work for slices beside the live lane. */
  private aside(slices: readonly Slice[], work: Promise<void>): void {
    const tracked = work.finally(() => this.asides.delete(tracked));
    this.asides.add(tracked);
    for (const slice of slices) {
      const holding = this.holdings.get(idOf(slice));
      if (holding?.duty === slice) holding.work = tracked;
    }
  }

  private join(slices: readonly Slice[]): void {
    for (const slice of slices) this.live.add(slice);
    this.round.abort();
  }

  private expel(isMeant: (slice: Slice) => boolean): void {
    const slices = [...this.live].filter(isMeant);
    if (slices.length === 0) return;
    for (const slice of slices) this.live.delete(slice);
    this.aside(slices, this.catchUp(slices));
  }

  /** Those of the slices that this process still owns. */
  private still(slices: readonly Slice[]): Slice[] {
    return slices.filter((slice) => this.holdings.get(idOf(slice))?.duty === slice);
  }

  /** Follows the log with these slices alone until they are at its end. One that fails is tried again, ever more seldom. */
  private async catchUp(group: readonly Slice[]): Promise<void> {
    let slices = this.still(group);
    for (let failures = 0; !this.signal.aborted && slices.length > 0; slices = this.still(slices)) {
      const signal = AbortSignal.any([this.signal, ...slices.map((slice) => this.holdings.get(idOf(slice))!.left.signal)]);
      try {
        await new Lane(slices, this.world).follow(signal, { untilLive: true, onLeftOut: this.takeUpAnew });
        if (!signal.aborted) return this.join(slices);
        continue;
      } catch (error) {
        if (error instanceof ViewFailed && slices.length > 1) return this.separate(slices);
        if (error instanceof ViewFailed) await this.report(slices[0]!, error);
        else if (error instanceof CheckpointMoved) {
          this.nextLook.abort();
          failures = 0;
        } else this.world.log.warn({ err: error, slices: slices.map(sliceName) }, 'Views that are behind stopped for a moment');
      }
      await pause(backoff_ms(failures++), signal);
    }
  }

  private separate(slices: readonly Slice[]): void {
    for (const slice of slices) this.aside([slice], this.catchUp([slice]));
  }

  /** Another release may be able to take what this one's predecessor could not. Slices that are far apart come together first. */
  private async retryParked(view: View): Promise<void> {
    if (this.retried.has(view)) return;
    this.retried.add(view);
    for (let failures = 0; !this.signal.aborted; failures++) {
      try {
        if ((await countParked(this.world.pool)).has(view.name)) await retryParked(view, this.world, {}, this.signal);
        return;
      } catch (error) {
        this.world.log.warn({ err: error, view: view.name }, 'The parked events could not be tried again');
        if (error instanceof Refusal && !comesByItself.has(error.code)) return;
      }
      await pause(backoff_ms(failures), this.signal);
    }
  }

  /** Builds one view at a time, to leave the machine to those who ask. What stood there before goes on answering. */
  private async build(duty: Duty): Promise<void> {
    const { view } = duty;
    const signal = AbortSignal.any([this.signal, this.holdings.get(idOf(duty))!.left.signal]);
    for (let failures = 0; !signal.aborted; failures++) {
      try {
        this.world.log.info({ view: view.name, version: view.version }, 'The view is new or has changed; it is built from the log');
        await this.inTurn(() => rebuild(view, this.world, () => undefined, signal), signal);
        // By the next look its slices are there.
        return this.nextLook.abort();
      } catch (error) {
        if (signal.aborted) return;
        await this.report(duty, error instanceof ViewFailed ? error : new ViewFailed(view.name, [], error));
      }
      await pause(backoff_ms(failures), signal);
    }
  }

  /** One after the other. Whoever need not wait any more leaves at once: others wait for that before they look who owns what. */
  private inTurn(work: () => Promise<void>, signal: AbortSignal): Promise<void> {
    const before = this.lastBuild;
    const turn = unlessAborted(before, signal).then(() => (signal.aborted ? undefined : work()));
    this.lastBuild = Promise.allSettled([before, turn]).then(() => undefined);
    return turn;
  }

  private async report(slice: Slice, failure: ViewFailed): Promise<void> {
    const { log, pool } = this.world;
    log.error({ err: failure.cause, view: failure.view }, failure.message);
    try {
      await noteError(pool, slice, failure.message);
    } catch (error) {
      log.warn({ err: error, view: failure.view }, 'The failure of the view could not be noted');
    }
  }
}

/** To keep the slices of a view as it stands; to build it where it is not there in this version. */
function dutiesOf(view: View, checkpoint: ViewCheckpoint | undefined): Duty[] {
  if (checkpoint?.version !== view.version) return [{ ...wholeView(view), isBuilt: false }];
  return checkpoint.slices.map((_, index) => ({ view, index, of: checkpoint.slices.length, isBuilt: true }));
}

/** A slice that is followed is built. */
const idOf = ({ view, index, isBuilt = true }: Slice & Partial<Duty>): string => (isBuilt ? `${view.name}/${index}` : `${view.name}/build`);

async function aborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
}
