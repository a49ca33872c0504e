// An engine as the router sees it: how it has done, whether it may be asked, and one call that keeps both up to date.
import { ERROR_KINDS, RouterError } from '../core/errors.ts';
import type { CallContext, Inference, InferenceInput } from '../core/inference.ts';
import { Breaker, type BreakerEvent, type BreakerOptions } from './breaker.ts';
import type { Engine, EngineKind } from './engine.ts';
import { Speed } from './speed.ts';

export type EngineState = 'READY' | 'DOWN' | 'DRAINING';

export class PooledEngine {
  readonly engine: Engine;
  readonly breaker: Breaker;
  readonly speed = new Speed();
  succeeded = 0;
  failed = 0;
  /** As last described, also while the engine is down. */
  build = '';
  /** An operator wants no more requests sent to it. */
  isDraining = false;

  constructor(engine: Engine, breaker: BreakerOptions, onBreaker: (event: BreakerEvent) => void) {
    this.engine = engine;
    this.breaker = new Breaker(breaker, onBreaker);
  }

  get id(): string {
    return this.engine.id;
  }

  get kind(): EngineKind {
    return this.engine.kind;
  }

  get inFlight(): number {
    return this.engine.inFlight;
  }

  get state(): EngineState {
    if (this.isDraining) return 'DRAINING';
    return this.engine.description === undefined ? 'DOWN' : 'READY';
  }

  /** Whether a request may be sent now. */
  get admits(): boolean {
    return this.breaker.admits && this.state === 'READY';
  }

  /** Why not; empty where it admits. */
  get whyNot(): string {
    if (this.isDraining) return 'draining';
    if (this.engine.description === undefined) return `down: ${this.engine.downReason}`;
    return this.breaker.admits ? '' : `breaker ${this.breaker.state.toLowerCase().replace('_', '-')}`;
  }

  get expectedMs(): number {
    return this.speed.expectedMs(this.engine.inFlight);
  }

  get idleMs(): number {
    return performance.now() - this.speed.lastAnswerMs;
  }

  /** Rejects with ENGINE_SLOW if `timeoutMs` ends before the request's own deadline does. */
  async infer(input: InferenceInput, context: CallContext, timeoutMs = Infinity): Promise<Inference> {
    const startedMs = performance.now();
    const inFlight = this.engine.inFlight + 1;
    const { signal } = context;
    const deadlineMs = Math.min(context.deadlineMs, startedMs + timeoutMs);
    const pass = this.breaker.begin();
    try {
      const inference = await this.engine.infer(input, { deadlineMs, signal });
      const nowMs = performance.now();
      this.speed.record(nowMs - startedMs, inFlight, nowMs);
      this.succeeded += 1;
      this.breaker.end(pass, 'success', 'OK');
      return inference;
    } catch (thrown) {
      const error = this.#blame(RouterError.from(thrown), deadlineMs < context.deadlineMs);
      const { outcome } = ERROR_KINDS[error.kind];
      if (outcome === 'failure') this.failed += 1;
      this.breaker.end(pass, outcome, error.kind);
      throw error;
    }
  }

  /** A deadline that was ours, not the caller's, is the engine's fault. */
  #blame(error: RouterError, wasOurs: boolean): RouterError {
    if (error.kind !== 'DEADLINE_EXCEEDED' || !wasOurs) return error;
    return new RouterError('ENGINE_SLOW', `engine "${this.id}" did not answer in the time that one attempt has`);
  }
}
