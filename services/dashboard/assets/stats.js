// Rates and percentiles of what happened between two snapshots: the router only counts, since it started.

export const KEPT_S = 120;
/** What the figures of "now" look back on. */
export const WINDOW_S = 60;

/** Where bucket `i` begins, milliseconds (services/telemetry/latency.ts). */
export function bucketMs(i) {
  return (2 ** Math.floor(i / 4) * (1 + (i % 4) / 4)) / 1e6;
}

/** Value below which `percent` of the counted lie; undefined where there are none. */
export function percentile(buckets, percent) {
  const all = buckets.reduce((sum, n) => sum + n, 0);
  if (all === 0) return undefined;
  let rest = (percent / 100) * all;
  for (let i = 0; i < buckets.length; i += 1) {
    if (buckets[i] > 0 && rest <= buckets[i]) {
      return bucketMs(i) + (rest / buckets[i]) * (bucketMs(i + 1) - bucketMs(i));
    }
    rest -= buckets[i];
  }
  return bucketMs(buckets.length);
}

export function difference(newer, older) {
  return newer.map((n, i) => n - (older?.[i] ?? 0));
}

/** The snapshots of the last two minutes, oldest first. */
export class History {
  snapshots = [];

  /** Counts that went back began anew: what was before says nothing about them. */
  push(snapshot) {
    const last = this.snapshots.at(-1);
    if (last && (last.sinceMs !== snapshot.sinceMs || last.reasoning.count > snapshot.reasoning.count)) {
      this.snapshots = [];
    }
    this.snapshots.push(snapshot);
    while (snapshot.upMs - this.snapshots[0].upMs > KEPT_S * 1_000) this.snapshots.shift();
  }

  get last() {
    return this.snapshots.at(-1);
  }

  /** The oldest snapshot of the last `seconds`, but not the last one; undefined where there is none. */
  before(seconds, at = this.snapshots.length - 1) {
    const endMs = this.snapshots[at]?.upMs - seconds * 1_000 - 500;
    const found = this.snapshots.findIndex(({ upMs }) => upMs >= endMs);
    return found < 0 || found >= at ? undefined : this.snapshots[found];
  }

  /** Per second over the last `seconds`; undefined until there are two snapshots. */
  rate(read, seconds = 5, at = this.snapshots.length - 1) {
    const older = this.before(seconds, at);
    if (older === undefined) return undefined;
    const newer = this.snapshots[at];
    return (read(newer) - read(older)) / ((newer.upMs - older.upMs) / 1_000);
  }

  /** How much was added over the last `seconds`. */
  added(read, seconds = WINDOW_S) {
    const older = this.before(seconds);
    return older === undefined ? 0 : read(this.last) - read(older);
  }

  /** Latencies of the last `seconds`. */
  buckets(seconds = WINDOW_S, at = this.snapshots.length - 1) {
    const older = this.before(seconds, at);
    return older === undefined ? [] : difference(this.snapshots[at].reasoning.buckets, older.reasoning.buckets);
  }
}
