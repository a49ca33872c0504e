// Reciprocal rank fusion (Cormack, Clarke and Büttcher 2009, "Reciprocal rank fusion outperforms Condorcet and individual
// rank learning methods"): an item that ranks high in either list ranks high in the result, and scores of different
// scales need no calibration.

const SMOOTHING = 60;

interface Ranked {
  readonly index: number;
  readonly score: number;
}

/** Each list holds indices, best first. Returns all of them, best first; equal scores by index. */
export function fuse(lists: readonly (readonly number[])[]): Ranked[] {
  const scores = new Map<number, number>();
  for (const list of lists) {
    for (const [rank, index] of list.entries()) {
      scores.set(index, (scores.get(index) ?? 0) + 1 / (SMOOTHING + rank + 1));
    }
  }
  return [...scores].map(([index, score]) => ({ index, score })).sort((a, b) => b.score - a.score || a.index - b.index);
}
