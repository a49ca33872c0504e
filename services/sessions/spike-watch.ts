// The newest spikes of watched sessions, by message. Nothing is stored for other sessions.
import type { Session } from './session.ts';

/** Stored messages of a session. */
export const MAX_ROWS = 256;
/** Maximum number of shown neurons. */
const MAX_NEURONS = 256;
export const MAX_WATCHED = 16;
/** A session is no longer watched this long after the last request. */
const LOOK_MS = 10_000;

/** Spikes of the readout in one message. */
interface SpikeRow {
  /** Steps of the session before and after this message. */
  readonly fromStep: number;
  readonly toStep: number;
  /** Neurons that fired, ascending. */
  readonly neurons: readonly number[];
}

export interface WatchedSpikes {
  /** Neurons of the readout, at most MAX_NEURONS; 0: no message was answered since the first request. */
  readonly neurons: number;
  /** Oldest first. */
  readonly rows: readonly SpikeRow[];
}

interface Watched {
  lookedMs: number;
  /** Spike counts of the whole session in the last answer; undefined: none since the first request. */
  counts: readonly number[] | undefined;
  step: number;
  readonly rows: SpikeRow[];
}

export class SpikeWatch {
  /** The most recently watched is last. */
  readonly #watched = new Map<Session, Watched>();

  /** Starts or continues to store its spikes. */
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
    // A new session has no spikes before.
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
