// The newest spikes of sessions that a person looks at, message by message. Of all other sessions nothing is kept.
import type { Session } from './session.ts';

/** Messages that are kept of a session. */
export const MAX_ROWS = 256;
/** Neurons that are shown, the first ones. */
const MAX_NEURONS = 256;
export const MAX_WATCHED = 16;
/** Nobody looks any more when this long has passed since the last look. */
const LOOK_MS = 10_000;

/** Spikes of the readout in one message. */
interface SpikeRow {
  /** Of the session: after the message before, and after this one. */
  readonly fromStep: number;
  readonly toStep: number;
  /** Those that fired, in ascending order. */
  readonly neurons: readonly number[];
}

export interface WatchedSpikes {
  /** Of the readout, at most MAX_NEURONS; 0: no message was answered since the first look. */
  readonly neurons: number;
  /** Oldest first. */
  readonly rows: readonly SpikeRow[];
}

interface Watched {
  lookedMs: number;
  /** Of the whole session, as the last answer said; undefined: there was none since the first look. */
  counts: readonly number[] | undefined;
  step: number;
  readonly rows: SpikeRow[];
}

export class SpikeWatch {
  /** The one that was looked at last is the last. */
  readonly #watched = new Map<Session, Watched>();

  /** Begins to keep its spikes, or goes on. */
  look(session: Session, nowMs: number): WatchedSpikes {
    const watched = this.#watched.get(session) ?? { lookedMs: nowMs, counts: undefined, step: session.step, rows: [] };
    watched.lookedMs = nowMs;
    this.#watched.delete(session);
    this.#watched.set(session, watched);
    for (const [each, { lookedMs }] of this.#watched) {
      if (this.#watched.size > MAX_WATCHED || nowMs - lookedMs > LOOK_MS) this.#watched.delete(each);
    }
    return { neurons: Math.min(MAX_NEURONS, watched.counts?.length ?? 0), rows: watched.rows.slice() };
  }

  /** A message is answered. `spikeCounts`: of the whole session. */
  record(session: Session, spikeCounts: readonly number[], nowMs: number): void {
    const watched = this.#watched.get(session);
    if (watched === undefined) return;
    if (nowMs - watched.lookedMs > LOOK_MS) {
      this.#watched.delete(session);
      return;
    }
    const { counts, step, rows } = watched;
    // A session that begins has fired nothing before.
    if (counts !== undefined || step === 0) {
      const neurons: number[] = [];
      const shown = Math.min(MAX_NEURONS, spikeCounts.length);
      for (let k = 0; k < shown; k += 1) if (spikeCounts[k]! > (counts?.[k] ?? 0)) neurons.push(k);
      rows.push({ fromStep: step, toStep: session.step, neurons });
      if (rows.length > MAX_ROWS) rows.shift();
    }
    watched.counts = spikeCounts;
    watched.step = session.step;
  }
}
