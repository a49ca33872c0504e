// An engine for the request path that answers when the test tells it to.
import type { CancelSignal } from '../../services/core/cancel.ts';
import { type ErrorKind, RouterError } from '../../services/core/errors.ts';
import type { CallContext, Inference, InferenceInput } from '../../services/core/inference.ts';
import type { EngineClient } from '../../services/routing/attempt.ts';
import { fakeInference } from './fake-engine.ts';

export class HandDriven implements EngineClient {
  readonly id: string;
  kind: 'local' | 'sidecar' = 'sidecar';
  isAvailable = true;
  readonly unavailableReason = '';
  availableSlots = 1;
  /** Of the last request; undefined: it got none. */
  signal: CancelSignal | undefined;
  timeoutMs: number | undefined;
  /** Whether it usually answers sooner than any engine that is late. */
  isQuick = false;
  /** Whether it answers other requests meanwhile. */
  answersOthers = false;
  answer: (stateDigest?: bigint, over?: Partial<Inference>) => void = () => undefined;
  fail: (kind: ErrorKind, metadata?: Readonly<Record<string, string>>) => void = () => undefined;

  constructor(id: string) {
    this.id = id;
  }

  get wasAsked(): boolean {
    return this.signal !== undefined;
  }

  attemptMs(_input: InferenceInput, shareMs: number): number {
    return shareMs;
  }

  answersWithin(): boolean {
    return this.isQuick;
  }

  isSilent(): boolean {
    return !this.answersOthers;
  }

  infer(_input: InferenceInput, { signal }: CallContext, timeoutMs?: number): Promise<Inference> {
    this.signal = signal;
    this.timeoutMs = timeoutMs;
    return new Promise((resolve, reject) => {
      this.answer = (stateDigest = 99n, over = {}) => resolve(fakeInference({ stateDigest, ...over }));
      this.fail = (kind, metadata = {}) => reject(new RouterError(kind, 'on purpose', { metadata }));
      signal.addEventListener('abort', () => reject(RouterError.from(signal.reason)));
    });
  }
}

/** The engines a, b, c and d. */
export function fourEngines(): [HandDriven, HandDriven, HandDriven, HandDriven] {
  return [new HandDriven('a'), new HandDriven('b'), new HandDriven('c'), new HandDriven('d')];
}

/** The ids of those that have got a request. */
export function askedOf(engines: readonly HandDriven[]): string[] {
  return engines.filter(({ wasAsked }) => wasAsked).map(({ id }) => id);
}
