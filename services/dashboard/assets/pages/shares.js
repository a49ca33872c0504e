// Shares of engines and verdicts, for several pages.

/** Answers of the last minute, by engine id. */
export function engineShares({ engines, minute }) {
  const answers = engines.map(({ id }) => [id, minute.engines[id] ?? 0]);
  const all = answers.reduce((sum, [, n]) => sum + n, 0);
  return new Map(answers.map(([id, n]) => [id, all === 0 ? undefined : n / all]));
}

/** Verdicts that occurred, most frequent first. */
export function voteCounts(votes) {
  return Object.entries(votes)
    .filter(([, n]) => n > 0)
    .sort((a, b) => b[1] - a[1]);
}
