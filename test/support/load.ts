// Load for a router: at a fixed rate, or with a fixed number of open requests.
import type { Attempt, ReasonRequest, ReasonResponse } from '../../services/generated/tandem/v1/reasoning.ts';
import { refusalOf } from './refusal.ts';
import type { System } from './system.ts';

/** How often a paced load checks for due requests. */
const TICK_MS = 1;

export interface LoadOptions {
  readonly system: Pick<System, 'reason'>;
  /** Constant inputs, little-endian binary32, sent in turn. */
  readonly inputs: readonly { readonly data: Buffer }[];
  /** The other fields of the requests. */
  readonly request?: Partial<ReasonRequest>;
  /** Time limit of each request. */
  readonly deadlineMs?: number;
}

/** One request and its outcome. Times are of performance.now(). */
export interface LoadRequest {
  /** Its index in `inputs`. */
  readonly input: number;
  /** When it should have been sent. */
  readonly dueMs: number;
  readonly startMs: number;
  readonly endMs: number;
  /** `OK`, or the reason of its error, or the status code if there is no reason. */
  readonly outcome: string;
  /** Name of the gRPC status. */
  readonly code: string;
  /** The engine that answered; empty: none. */
  readonly engineId: string;
  readonly attempts: readonly Attempt[];
  readonly response: ReasonResponse | undefined;
}

export class LoadResult {
  /** In the order of their ends. */
  readonly requests: readonly LoadRequest[];

  constructor(requests: readonly LoadRequest[]) {
    this.requests = requests;
  }

  get failed(): LoadRequest[] {
    return this.requests.filter(({ outcome }) => outcome !== 'OK');
  }

  /** The number of answers of each engine. */
  get perEngine(): Record<string, number> {
    const counts: Record<string, number> = {};
    for (const { outcome, engineId } of this.requests) {
      if (outcome === 'OK') counts[engineId] = (counts[engineId] ?? 0) + 1;
    }
    return counts;
  }

  /**
   * Nearest rank over the answered requests. Latencies count from the planned time, so a late request counts as slow
   * (Tene, "How NOT to measure latency", 2015).
   */
  percentileMs(percent: number): number {
    const times = this.requests.filter(({ outcome }) => outcome === 'OK').map(({ dueMs, endMs }) => endMs - dueMs);
    return nearestRank(times, percent);
  }
}

export interface Load {
  /** Requests sent so far. */
  readonly started: number;
  /** Resolves when all sent requests have ended. */
  readonly finished: Promise<LoadResult>;
  /** Stops sending; resolves like `finished`. */
  stop(): Promise<LoadResult>;
}

/**
 * Sends `ratePerS` requests a second, however many are unanswered, until `total` were sent or it is stopped. Late
 * requests are sent as soon as possible, and none is dropped.
 */
export function paceLoad({
  ratePerS,
  total = Infinity,
  ...options
}: LoadOptions & { readonly ratePerS: number; readonly total?: number }): Load {
  const sender = new Sender(options);
  const beganMs = performance.now();
  const dueMs = (count: number): number => beganMs + (count * 1_000) / ratePerS;
  const ticker = setInterval(() => {
    while (sender.started < total && dueMs(sender.started) <= performance.now())
      void sender.send(dueMs(sender.started));
    if (sender.started >= total) stop();
  }, TICK_MS);
  const stop = (): void => {
    clearInterval(ticker);
    sender.close();
  };
  return toLoad(sender, stop);
}

/** Keeps `inFlight` requests unanswered until `total` were sent or it is stopped. */
export function closedLoad({
  total,
  inFlight,
  ...options
}: LoadOptions & { readonly total: number; readonly inFlight: number }): Load {
  const sender = new Sender(options);
  let stopped = false;
  const lane = async (): Promise<void> => {
    while (sender.started < total && !stopped) await sender.send(performance.now());
    sender.close();
  };
  for (let at = 0; at < inFlight; at += 1) void lane();
  return toLoad(sender, () => (stopped = true));
}

function toLoad(sender: Sender, stop: () => void): Load {
  return {
    get started() {
      return sender.started;
    },
    finished: sender.finished,
    stop: () => {
      stop();
      return sender.finished;
    },
  };
}

class Sender {
  started = 0;
  readonly finished: Promise<LoadResult>;
  readonly #options: LoadOptions;
  readonly #ended: LoadRequest[] = [];
  readonly #finish: (result: LoadResult) => void;
  #closed = false;

  constructor(options: LoadOptions) {
    this.#options = options;
    const { promise, resolve } = Promise.withResolvers<LoadResult>();
    this.finished = promise;
    this.#finish = resolve;
  }

  /** True if no more requests are sent. */
  close(): void {
    this.#closed = true;
    this.#finishIfDone();
  }

  /** Resolves when it has ended, with or without an error. */
  async send(dueMs: number): Promise<void> {
    const { system, inputs, request, deadlineMs } = this.#options;
    const input = this.started % inputs.length;
    const { data } = inputs[input]!;
    this.started += 1;
    const startMs = performance.now();
    const tensor = { shape: [data.length / 4], dtype: 'FP32', data };
    const deadline = deadlineMs === undefined ? {} : { deadline: Date.now() + deadlineMs };
    const outcome = await outcomeOf(system.reason({ tensor, ...request }, deadline));
    this.#ended.push({ input, dueMs, startMs, endMs: performance.now(), ...outcome });
    this.#finishIfDone();
  }

  #finishIfDone(): void {
    if (this.#closed && this.#ended.length === this.started) this.#finish(new LoadResult(this.#ended));
  }
}

async function outcomeOf(
  call: Promise<ReasonResponse>,
): Promise<Pick<LoadRequest, 'outcome' | 'code' | 'engineId' | 'attempts' | 'response'>> {
  try {
    const response = await call;
    const { engine, attempts } = response;
    return { outcome: 'OK', code: 'OK', engineId: engine?.engineId ?? '', attempts, response };
  } catch {
    const { code, reason } = await refusalOf(call);
    return { outcome: reason || code, code, engineId: '', attempts: [], response: undefined };
  }
}

/** The smallest of `values` that `percent` of them do not exceed; NaN for an empty list. */
function nearestRank(values: number[], percent: number): number {
  const sorted = values.sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)] ?? NaN;
}
