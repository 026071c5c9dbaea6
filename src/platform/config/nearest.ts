/** The candidate that takes the fewest insertions, deletions and replacements of a letter to become. */
export function nearest(word: string, candidates: readonly string[]): string {
  const distances = new Map(candidates.map((candidate) => [candidate, distance(word, candidate)]));
  return candidates.reduce((best, candidate) => (distances.get(candidate)! < distances.get(best)! ? candidate : best));
}

/** Levenshtein's distance, a row at a time. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next[j] = Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1));
    }
    row = next;
  }
  return row[b.length]!;
}
