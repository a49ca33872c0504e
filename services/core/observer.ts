// Counts what happens to requests. Implemented by telemetry/, called by routing/ and api/, which may not import telemetry/.
import type { ErrorKind, Lack } from './errors.ts';
import type { Work } from './work.ts';

export type Outcome = 'OK' | ErrorKind;

/** What the result cache did for a request. */
export type CacheStatusName = 'HIT' | 'MISS' | 'COALESCED' | 'STALE' | 'BYPASSED';

/** How a vote, or an audit, ended. */
export type VerdictName =
  'UNANIMOUS' | 'MAJORITY' | 'PLURALITY' | 'DEGRADED' | 'DISPUTED' | 'TOO_FEW' | 'AUDITED' | 'AUDIT_DISPUTED';

/** Every method is called on the hot path: it must be quick and must not throw. */
export interface Observer {
  /**
   * A request has ended. `type` is the rpc's name, or "ReasonBatch.item", "ReasonStream.item". `lack`: what the router had
   * too little of to take it.
   */
  requestEnded(type: string, outcome: Outcome, durationMs: number, lack?: Lack): void;
  /** A strategy has planned a request. */
  planned(strategy: string): void;
  /** An engine was asked once. */
  attemptEnded(engineId: string, outcome: Outcome, durationMs: number): void;
  /** An engine has computed an answer for that model version: its work, whether or not anybody still waits for it. */
  computed(model: string, version: number, work: Work): void;
  /** A request for that model version is answered, computed or not. */
  answered(model: string, version: number): void;
  cacheUsed(status: CacheStatusName): void;
  voted(verdict: VerdictName, dissenterIds: readonly string[]): void;
}
