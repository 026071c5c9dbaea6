/** A place in the log. Reading from a position starts after it going forwards, before it going backwards. */
export interface Position {
  readonly commit: bigint;
  readonly prepare: bigint;
}

/** The place before the first event. */
export const startOfLog: Position = { commit: 0n, prepare: 0n };

/** A text that is no position. */
export class PositionError extends Error {
  override readonly name = 'PositionError';
}

const largest = 2n ** 64n - 1n;
const shape = /^(\d{1,20})(?:\/(\d{1,20}))?$/;

/** The position as it crosses every wire: "123", or "123/120" where commit and prepare differ. */
export function formatPosition({ commit, prepare }: Position): string {
  return commit === prepare ? `${commit}` : `${commit}/${prepare}`;
}

/** The position a text stands for; throws PositionError on anything that `formatPosition` would not say. */
export function parsePosition(text: string): Position {
  const [, commit = '', prepare = commit] = shape.exec(text) ?? [];
  const position = { commit: BigInt(commit), prepare: BigInt(prepare) };
  const isOne = formatPosition(position) === text && position.commit <= largest && position.prepare <= position.commit;
  if (!isOne) throw new PositionError(`"${text.slice(0, 60)}" is not a position in the log`);
  return position;
}

/** Negative when `a` lies before `b`, positive when after, zero when they are the same place. */
export function comparePositions(a: Position, b: Position): number {
  if (a.commit !== b.commit) return a.commit < b.commit ? -1 : 1;
  if (a.prepare !== b.prepare) return a.prepare < b.prepare ? -1 : 1;
  return 0;
}
