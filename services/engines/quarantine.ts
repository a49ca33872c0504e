// Quarantines engines whose answers contradict the majority. Independent of the breaker, for which a wrong answer is a
// success.
//
// An engine that dissents too often within a window gets no more requests. After a delay it is tested with inputs whose
// answers are known, including the disputed ones. If all answers are correct it is readmitted, else the delay doubles.
// An engine that is quarantined again soon starts with the longer delay. Each input is sent twice, once for a full
// answer and once for digests only, in random order, so that an engine that lies for one kind of request only is
// detected, too.
//
// Its duplicates are quarantined with it, because they claim to be the same process. Each must pass the test itself.
//
// A suspect is one of several engines that contradicted each other when it is unknown which is wrong. It is tested at
// once, while it continues to answer requests, and is quarantined if it answers wrongly or refuses.
import { type KnownAnswer, firstFailure } from './known-answers.ts';
import type { EnginePool } from './pool.ts';
import type { PooledEngine } from './pooled-engine.ts';

export interface QuarantineOptions {
  /** This many dissents … */
  readonly dissents: number;
  /** … within this time quarantine an engine, milliseconds. */
  readonly windowMs: number;
  /** First delay before the test, milliseconds; doubles each time. */
  readonly sitOutMs: number;
  readonly sitOutMaxMs: number;
}

interface Record {
  /** Times of the dissents within the window, by performance.now(). */
  dissentedMs: number[];
  lastDissentMs: number;
  sitOutMs: number;
  /** The newest inputs that it answered wrongly, with the majority's answer. */
  disputed: KnownAnswer[];
  timer: NodeJS.Timeout | undefined;
  /** A test is running. */
  checking: Promise<void> | undefined;
  /** When it was last a suspect, by performance.now(). */
  suspectedMs: number;
}

const MAX_DISPUTED = 4;
/** Minimum time between two tests of a suspect, milliseconds: in a pool of two, every request may be a dispute. */
const SUSPECT_PAUSE_MS = 5_000;

export class Quarantine {
  readonly #pool: EnginePool;
  #options: QuarantineOptions;
  readonly #golden: (engine: PooledEngine) => readonly KnownAnswer[];
  readonly #onPutOut: (engine: PooledEngine) => void;
  readonly #records = new WeakMap<PooledEngine, Record>();
  readonly #timers = new Set<NodeJS.Timeout>();
  #isStopped = false;

  /**
   * `golden`: golden vectors for the models that an engine holds. `onPutOut`: called when a trusted engine is
   * quarantined.
   */
  constructor(
    pool: EnginePool,
    options: QuarantineOptions,
    golden: (engine: PooledEngine) => readonly KnownAnswer[],
    onPutOut: (engine: PooledEngine) => void = () => undefined,
  ) {
    this.#pool = pool;
    this.#onPutOut = onPutOut;
    this.#options = options;
    this.#golden = golden;
  }

  /** Applies from now on; running delays stay unchanged. */
  configure(options: QuarantineOptions): void {
    this.#options = options;
  }

  /**
   * An engine contradicted a strict majority, whose answer was `right`, or was proved wrong. Undefined: the correct
   * answer is unknown or a refusal.
   */
  dissented(engine: PooledEngine, right: KnownAnswer | undefined): void {
    const record = this.#record(engine);
    const nowMs = performance.now();
    const recent = record.dissentedMs.filter((atMs) => nowMs - atMs < this.#options.windowMs);
    this.#noteWrong(record, nowMs);
    record.dissentedMs = [...recent, nowMs].slice(-this.#options.dissents);
    if (right !== undefined) record.disputed = [...record.disputed, keep(right)].slice(-MAX_DISPUTED);
    if (record.dissentedMs.length < this.#options.dissents || engine.quarantine !== '') return;
    const times = `${record.dissentedMs.length} times`;
    this.#putOut(engine, record, `it contradicted the majority ${times}, or its answers were malformed`);
  }

  /** Tests a suspect in the background. Not too often, and not if it is quarantined. */
  suspect(engine: PooledEngine): void {
    const record = this.#record(engine);
    const nowMs = performance.now();
    const isTooSoon = record.checking !== undefined || nowMs - record.suspectedMs < SUSPECT_PAUSE_MS;
    if (this.#isStopped || isTooSoon || engine.quarantine !== '') return;
    record.suspectedMs = nowMs;
    this.#whenUnchecked(record, () => this.#check(engine, record));
  }

  /** Quarantines an engine at once, because its answer was impossible. */
  distrust(engine: PooledEngine, why: string): void {
    if (engine.quarantine === '') this.#putOut(engine, this.#record(engine), why);
  }

  /** An operator readmits it. */
  readmit(engine: PooledEngine): void {
    const record = this.#record(engine);
    record.timer = undefined; // its test does nothing then
    record.lastDissentMs = -Infinity;
    this.#trust(engine, record);
  }

  stop(): void {
    this.#isStopped = true;
    for (const timer of this.#timers) clearTimeout(timer);
  }

  #record(engine: PooledEngine): Record {
    const known = this.#records.get(engine);
    if (known !== undefined) return known;
    const { sitOutMs } = this.#options;
    const record: Record = {
      ...{ dissentedMs: [], lastDissentMs: -Infinity, sitOutMs, disputed: [], timer: undefined },
      ...{ checking: undefined, suspectedMs: -Infinity },
    };
    this.#records.set(engine, record);
    return record;
  }

  /** After a window without a wrong answer, delays start at the first value again. */
  #noteWrong(record: Record, nowMs: number): void {
    if (nowMs - record.lastDissentMs >= this.#options.windowMs) record.sitOutMs = this.#options.sitOutMs;
    record.lastDissentMs = nowMs;
  }

  /** Skips inputs of versions that were unloaded meanwhile: no engine can answer them. */
  #stillHeld({ disputed }: Record): readonly KnownAnswer[] {
    return disputed.filter(({ input }) => this.#pool.served(input.model, input.version) !== undefined);
  }

  #trust(engine: PooledEngine, record: Record): void {
    record.dissentedMs = [];
    this.#pool.setQuarantine(engine, '');
  }

  #putOut(engine: PooledEngine, record: Record, why: string): void {
    if (this.#isStopped) return;
    // Duplicates first: none of them may be used instead.
    for (const duplicate of this.#pool.engines.filter(({ duplicateOf }) => duplicateOf === engine.id)) {
      this.#putOut(duplicate, this.#record(duplicate), `it is the same process as ${engine.id}, and ${why}`);
    }
    const { sitOutMs } = record;
    const wasTrusted = engine.quarantine === '';
    this.#pool.setQuarantine(engine, `${why}; it is tried with known inputs after ${sitOutMs} ms`);
    if (wasTrusted) this.#onPutOut(engine);
    record.sitOutMs = Math.min(2 * sitOutMs, this.#options.sitOutMaxMs);
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      this.#whenUnchecked(record, () => this.#probe(engine, record, timer));
    }, sitOutMs);
    record.timer = timer.unref();
    this.#timers.add(timer);
  }

  /** One input at a time: an engine may be readmitted and quarantined again before it has answered. */
  #whenUnchecked(record: Record, check: () => Promise<void>): void {
    const checking = (record.checking === undefined ? check() : record.checking.then(check)).finally(() => {
      if (record.checking === checking) record.checking = undefined;
    });
    record.checking = checking;
  }

  /** `timer`: of the quarantine that it ends. */
  async #probe(engine: PooledEngine, record: Record, timer: NodeJS.Timeout): Promise<void> {
    const cases = [...this.#golden(engine), ...this.#stillHeld(record)];
    // An operator may readmit or remove it at any time.
    const isOver = (): boolean => record.timer !== timer || !this.#pool.engines.includes(engine);
    const failure = await firstFailure(engine, cases, isOver);
    if (isOver()) return;
    if (failure === undefined) this.#trust(engine, record);
    else this.#putOut(engine, record, failure.why);
  }

  async #check(engine: PooledEngine, record: Record): Promise<void> {
    const cases = [...this.#golden(engine), ...this.#stillHeld(record)];
    const isOver = (): boolean => engine.quarantine !== '' || !this.#pool.engines.includes(engine);
    const failure = await firstFailure(engine, cases, isOver);
    if (isOver() || failure === undefined || !failure.isProof) return;
    this.#noteWrong(record, performance.now());
    this.#putOut(engine, record, failure.why);
  }
}

/** Copied: the request's bytes are a view that would keep a whole message in memory. */
function keep({ input, ...digests }: KnownAnswer): KnownAnswer {
  return { input: { ...input, data: Uint8Array.from(input.data) }, ...digests };
}
