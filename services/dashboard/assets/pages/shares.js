// Who did how much, for several pages.

/** Of the answers of the last minute, by engine id. */
export function engineShares(history) {
  const older = new Map(history.before(60)?.engines.map(({ id, succeeded }) => [id, succeeded]));
  const added = history.last.engines.map(({ id, succeeded }) => [
    id,
    Math.max(0, succeeded - (older.get(id) ?? succeeded)),
  ]);
  const all = added.reduce((sum, [, n]) => sum + n, 0);
  return new Map(added.map(([id, n]) => [id, all === 0 ? undefined : n / all]));
}

/** Verdicts that there were, most frequent first. */
export function voteCounts(votes) {
  return Object.entries(votes)
    .filter(([, n]) => n > 0)
    .sort((a, b) => b[1] - a[1]);
}
