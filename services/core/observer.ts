// Counts requests and their results. Implemented by telemetry/, called by routing/ and api/, which may not import
// telemetry/.
import type { ErrorKind, Lack } from './errors.ts';
import type { Work } from './work.ts';

export type Outcome = 'OK' | ErrorKind;

/** The result of the cache look-up of a request. */
export type CacheStatusName = 'HIT' | 'MISS' | 'COALESCED' | 'STALE' | 'BYPASSED';

/** The result of a vote or an audit. */
export type VerdictName =
  'UNANIMOUS' | 'MAJORITY' | 'PLURALITY' | 'DEGRADED' | 'DISPUTED' | 'TOO_FEW' | 'AUDITED' | 'AUDIT_DISPUTED';

/** Every method is called on the hot path: it must be quick and must not throw. */
export interface Observer {
  /**
   * A request has ended. `type`: the rpc's name, or "ReasonBatch.item", "ReasonStream.item". `lack`: the resource that
   * was missing if the router refused it.
   */
  requestEnded(type: string, outcome: Outcome, durationMs: number, lack?: Lack): void;
  /** A strategy has planned a request. */
  planned(strategy: string): void;
  /** An engine was asked once. */
  attemptEnded(engineId: string, outcome: Outcome, durationMs: number): void;
  /** Another engine was asked beside this one, because it was late. */
  engineLate(engineId: string): void;
  /** An engine has computed an answer for this model version, even if no caller waits for it any more. */
  computed(model: string, version: number, work: Work): void;
  /** A request for this model version is answered, computed or cached. */
  answered(model: string, version: number): void;
  cacheUsed(status: CacheStatusName): void;
  voted(verdict: VerdictName, dissenterIds: readonly string[]): void;
}
