import type { Slice } from './slices.js';

/** A process that projects, by its session, and how many duties it has. */
export interface Member {
  readonly id: number;
  readonly held: number;
}

/** How many of so many duties a member may have: as many as any other, give or take one. Those who have most keep the odd ones. */
export function fairShare(members: readonly Member[], duties: number, me: number): number {
  const inOrder = [...members].sort((a, b) => b.held - a.held || a.id - b.id);
  const rank = inOrder.findIndex(({ id }) => id === me);
  if (rank < 0) return 0;
  return Math.floor(duties / members.length) + (rank < duties % members.length ? 1 : 0);
}

/** Chooses so many, first those of the views of which the process has the fewest, or the most: a view's slices gain most apart. */
export function choose<Part extends Pick<Slice, 'view'>>(candidates: readonly Part[], count: number, first: 'fewest' | 'most', own: readonly Part[]): Part[] {
  const held = new Map<string, number>();
  for (const { view } of own) held.set(view.name, (held.get(view.name) ?? 0) + 1);
  const step = first === 'fewest' ? 1 : -1;
  const left = [...candidates];
  const chosen: Part[] = [];
  while (chosen.length < count && left.length > 0) {
    const best = left.reduce((a, b) => (step * (held.get(b.view.name) ?? 0) < step * (held.get(a.view.name) ?? 0) ? b : a));
    left.splice(left.indexOf(best), 1);
    held.set(best.view.name, (held.get(best.view.name) ?? 0) + step);
    chosen.push(best);
  }
  return chosen;
}
