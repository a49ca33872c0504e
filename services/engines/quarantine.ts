// Keeps out engines whose answers contradict the majority. Apart from the breaker, for which a wrong answer is an answer.
//
// An engine that dissents too often within a window takes no more requests. After a pause it is given inputs whose right
// answers are known, the disputed ones among them; if it gets all of them right it is back, else the pause doubles. An
// engine that has to leave again soon begins with the longer pause. Each input is given twice, once in full and once for its
// digests alone, and all of them in an order by chance: an engine that lies to one kind of request only is found out, too.
//
// Its duplicates are put out with it: they say that they are the same process. Each of them has to get the inputs right by
// itself to be back.
//
// A suspect is one of several engines that contradicted each other where it cannot be decided which is wrong. It is given the same
// inputs at once, while it goes on answering requests, and is put out if it gets one of them wrong or refuses it.
import { type KnownAnswer, firstFailure } from './known-answers.ts';
import type { EnginePool } from './pool.ts';
import type { PooledEngine } from './pooled-engine.ts';

export interface QuarantineOptions {
  /** So many dissents … */
  readonly dissents: number;
  /** … within so long put an engine out, milliseconds. */
  readonly windowMs: number;
  /** The first pause before it is tried, milliseconds; doubles each time. */
  readonly sitOutMs: number;
  readonly sitOutMaxMs: number;
}

interface Record {
  /** Of the dissents within the window, on performance.now()'s clock. */
  dissentedMs: number[];
  lastDissentMs: number;
  sitOutMs: number;
  /** The newest inputs that it got wrong, with the majority's answer. */
  disputed: KnownAnswer[];
  timer: NodeJS.Timeout | undefined;
  /** It is given known inputs now. */
  checking: Promise<void> | undefined;
  /** When it was a suspect last, on performance.now()'s clock. */
  suspectedMs: number;
}

const MAX_DISPUTED = 4;
/** A suspect is checked once in so long, milliseconds: every request of a pool of two may be a dispute. */
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
   * `golden`: inputs with known answers for the models that an engine holds. `onPutOut`: an engine that was trusted is not
   * any more.
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

  /** For what happens from now on; pauses that have begun stay as long as they are. */
  configure(options: QuarantineOptions): void {
    this.#options = options;
  }

  /**
   * An engine contradicted a strict majority, which said `right`, or proved itself wrong. Undefined: what is right is not
   * known, or is a refusal.
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

  /** Checks an engine that may be wrong with known inputs, in the background. Once in a while only, and not if it is out. */
  suspect(engine: PooledEngine): void {
    const record = this.#record(engine);
    const nowMs = performance.now();
    const isTooSoon = record.checking !== undefined || nowMs - record.suspectedMs < SUSPECT_PAUSE_MS;
    if (this.#isStopped || isTooSoon || engine.quarantine !== '') return;
    record.suspectedMs = nowMs;
    this.#whenUnchecked(record, () => this.#check(engine, record));
  }

  /** It is put out at once: it has said what cannot be. */
  distrust(engine: PooledEngine, why: string): void {
    if (engine.quarantine === '') this.#putOut(engine, this.#record(engine), why);
  }

  /** An operator says that it is well. */
  readmit(engine: PooledEngine): void {
    const record = this.#record(engine);
    if (record.timer !== undefined) this.#timers.delete(record.timer);
    clearTimeout(record.timer);
    record.timer = undefined;
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

  /** After a window in which it was never wrong the pauses begin anew. */
  #noteWrong(record: Record, nowMs: number): void {
    if (nowMs - record.lastDissentMs >= this.#options.windowMs) record.sitOutMs = this.#options.sitOutMs;
    record.lastDissentMs = nowMs;
  }

  /** No engine can answer an input of a version that was unloaded meanwhile. */
  #stillHeld({ disputed }: Record): readonly KnownAnswer[] {
    return disputed.filter(({ input }) => this.#pool.served(input.model, input.version) !== undefined);
  }

  #trust(engine: PooledEngine, record: Record): void {
    record.dissentedMs = [];
    this.#pool.setQuarantine(engine, '');
  }

  #putOut(engine: PooledEngine, record: Record, why: string): void {
    if (this.#isStopped) return;
    // They come first: none must be asked in its place.
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

  /** One known input at a time: an engine may be readmitted, and put out again, before it has answered one. */
  #whenUnchecked(record: Record, check: () => Promise<void>): void {
    const checking = (record.checking === undefined ? check() : record.checking.then(check)).finally(() => {
      if (record.checking === checking) record.checking = undefined;
    });
    record.checking = checking;
  }

  /** `timer`: of the quarantine that it is to end. */
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

/** The request's bytes are a view into a whole message. */
function keep({ input, ...digests }: KnownAnswer): KnownAnswer {
  return { input: { ...input, data: Uint8Array.from(input.data) }, ...digests };
}
