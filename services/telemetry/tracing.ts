// Which requests' traces are kept. Every request is noted down (core/request-trace.ts); at its end it is kept if it is in
// the sample, which was decided when it began so that engines could be told, or if people will ask about it: it failed,
// engines contradicted each other, a breaker opened, or it was slow. OpenTelemetry's own head sampling cannot do that, for
// it knows nothing of the end, and its spans cost as much as everything else that we do for a request.
import { ERROR_KINDS } from '../core/errors.ts';
import type { EncodedSpan, SpanSource } from '../core/encoded-span.ts';
import { type OpenEvent, OpenSpan, RequestTrace, type TraceKeeper } from '../core/request-trace.ts';
import { TokenBucket } from '../core/token-bucket.ts';
import { isInSample, newTraceId, parseTraceParent } from '../core/trace-parent.ts';
import { EpochClock } from './epoch-clock.ts';
import { SpanEncoder } from './span-encoder.ts';
import type { TraceKind } from './trace-store.ts';

interface Sampler {
  /** Heed what the caller decided, if it did. */
  readonly isParentBased: boolean;
  /** Share of the other requests, 0 to 1. */
  readonly ratio: number;
}

export interface TracingOptions {
  /** Nothing is noted or kept without; answers have a trace id all the same. */
  readonly enabled: boolean;
  readonly sampler: Sampler;
  /** Requests a second that are in the sample because their callers said so, where the sample is not all. By default no limit. */
  readonly callerSamplesPerS?: number;
  /** Requests that take at least so long are kept, milliseconds; 0: not for that. */
  readonly slowMs: number;
  readonly withLayers: boolean;
  /** This router. */
  readonly source: SpanSource;
  /** Where kept traces go. Called on the hot path: it must be quick and must not throw. */
  readonly onKept: (spans: readonly EncodedSpan[], kind: TraceKind) => void;
  /** Hears of requests that were answered and kept, once each: examples of a latency. `method`: as in `begin`. */
  readonly onExample?: (method: string, durationMs: number, traceId: string) => void;
  /** Hears of every request, kept or not. */
  readonly onEnded?: (trace: RequestTrace, durationMs: number) => void;
}

/** Why traces were kept, and how many were not. */
interface TraceCounts {
  readonly sampled: number;
  readonly failed: number;
  /** With an event: a dispute, a breaker that opened, a quarantine. */
  readonly notable: number;
  readonly slow: number;
  /** Nothing about them was of interest when they ended. */
  readonly left: number;
  /** They should have been kept, but there were too many of them. */
  readonly dropped: number;
}

export const SERVICE = 'tandem-router';
const PACKAGE = 'tandem.v1.';
const REASONING = 'ReasoningService/';
const HAS_PACKAGE = /\..*\//;
/** What callers may pass on, W3C Trace Context, 3.3.1.5. */
const MAX_TRACE_STATE_CHARS = 512;
/** Outside the sample, kept within a second: failures come in storms, and keeping them must not make them worse. */
const MAX_UNSAMPLED_PER_S = 1_000;

function toBucket({ callerSamplesPerS }: TracingOptions): TokenBucket | undefined {
  return callerSamplesPerS === undefined ? undefined : new TokenBucket(callerSamplesPerS);
}

/** The clock, while traces are kept. */
const ADJUST_EVERY_MS = 10;

export class Tracing implements TraceKeeper {
  #options: TracingOptions;
  readonly #clock = new EpochClock();
  readonly #counts = { sampled: 0, failed: 0, notable: 0, slow: 0, left: 0, dropped: 0 };
  readonly #encoder: SpanEncoder;
  /** By method: a name is not put together for every request. */
  readonly #names = new Map<string, string>();
  /** Undefined: no limit. */
  #callerSamples: TokenBucket | undefined;
  #adjustAtMs = -Infinity;
  #second = 0;
  #unsampledInSecond = 0;

  constructor(options: TracingOptions) {
    this.#options = options;
    this.#callerSamples = toBucket(options);
    this.#encoder = new SpanEncoder(options.source, this.#clock);
  }

  /** For requests that begin from now on. */
  configure(options: Partial<Omit<TracingOptions, 'source'>>): void {
    this.#options = { ...this.#options, ...options };
    if (options.callerSamplesPerS !== undefined) this.#callerSamples = toBucket(this.#options);
  }

  get counts(): TraceCounts {
    return { ...this.#counts };
  }

  /** `method`: the rpc's name, "ReasonBatch.item", or with its service "AgentService/Query", or with its package, too. `traceParent`, `traceState`: as the caller sent them, or empty. `isOwn`: the caller shows a link to it. */
  begin(method: string, startMs: number, traceParent: string, traceState: string, isOwn = false): RequestTrace {
    const { withLayers, enabled } = this.#options;
    const caller = traceParent === '' ? undefined : parseTraceParent(traceParent);
    const traceId = caller?.traceId ?? newTraceId();
    const about = {
      name: this.#nameOf(method),
      traceId,
      parentSpanId: caller?.spanId ?? '',
      traceState: caller === undefined || traceState.length > MAX_TRACE_STATE_CHARS ? '' : traceState,
      isSampled: enabled && this.#isSampled(traceId, caller, isOwn),
      isOwn,
      withLayers,
      startMs,
    };
    return new RequestTrace(about, this);
  }

  /** A caller chooses its flag, and its trace id: what that has us keep is bounded. */
  #isSampled(traceId: string, caller: { readonly isSampled: boolean } | undefined, isOwn: boolean): boolean {
    const { isParentBased, ratio } = this.#options.sampler;
    if (caller === undefined && !isOwn) return isInSample(traceId, ratio);
    const isWanted = isOwn || (isParentBased && caller !== undefined ? caller.isSampled : isInSample(traceId, ratio));
    return isWanted && (ratio >= 1 || this.#callerSamples === undefined || this.#callerSamples.take() === 0);
  }

  /** What the path is to note things in; undefined: nothing is noted. */
  spanOf(trace: RequestTrace): OpenSpan | undefined {
    return this.#options.enabled ? trace.root : undefined;
  }

  ended(trace: RequestTrace): void {
    const durationMs = trace.endMs - trace.about.startMs;
    this.#options.onEnded?.(trace, durationMs);
    const why = this.#whyKept(trace);
    if (why === undefined) {
      this.#counts.left += 1;
    } else if (why !== 'sampled' && !this.#hasRoom()) {
      this.#counts.dropped += 1;
    } else {
      this.#counts[why] += 1;
      this.#keep(trace);
      const { about, failure, traceId } = trace;
      if (failure === undefined) this.#options.onExample?.(methodIn(about.name), durationMs, traceId);
    }
  }

  /** A background check may find out about a request long after it has ended. */
  late(trace: RequestTrace, event: OpenEvent): void {
    if (!this.#options.enabled) return;
    if (!trace.isKept) {
      trace.events.push(event);
      if (!this.#hasRoom()) {
        this.#counts.dropped += 1;
        return;
      }
      this.#counts.notable += 1;
      this.#keep(trace);
      return;
    }
    const news = new OpenSpan(trace, trace.root, event.name, 'INTERNAL', event.timeMs);
    for (const name in event.attributes) news.set(name, event.attributes[name]!);
    this.#options.onKept([this.#encoder.encode(news, event.timeMs, [])], kindOf(trace, true));
  }

  #nameOf(method: string): string {
    const known = this.#names.get(method);
    if (known !== undefined) return known;
    const name = HAS_PACKAGE.test(method) ? method : PACKAGE + (method.includes('/') ? method : REASONING + method);
    this.#names.set(method, name);
    return name;
  }

  #whyKept({ about, events, endMs, failure }: RequestTrace): 'sampled' | 'failed' | 'notable' | 'slow' | undefined {
    if (!this.#options.enabled) return undefined;
    if (about.isSampled) return 'sampled';
    if (failure !== undefined) return 'failed';
    if (events.length > 0) return 'notable';
    const { slowMs } = this.#options;
    return slowMs > 0 && endMs - about.startMs >= slowMs ? 'slow' : undefined;
  }

  #hasRoom(): boolean {
    const second = Math.floor(performance.now() / 1_000);
    if (second !== this.#second) this.#unsampledInSecond = 0;
    this.#second = second;
    this.#unsampledInSecond += 1;
    return this.#unsampledInSecond <= MAX_UNSAMPLED_PER_S;
  }

  #keep(trace: RequestTrace): void {
    trace.isKept = true;
    const { endMs } = trace;
    if (endMs >= this.#adjustAtMs) {
      this.#adjustAtMs = endMs + ADJUST_EVERY_MS;
      this.#clock.adjust();
    }
    describeRoot(trace);
    const spans = [this.#encoder.encode(trace.root, endMs, trace.events)];
    for (const span of trace.spans) {
      // An attempt that was still under way when the request ended was cancelled.
      spans.push(this.#encoder.encode(span, Number.isNaN(span.endMs) ? endMs : span.endMs, []));
      const compute = computeOf(span);
      if (compute !== undefined) spans.push(this.#encoder.encode(compute, compute.endMs, []));
    }
    this.#options.onKept(spans, kindOf(trace, trace.events.length > 0));
  }
}

function kindOf({ about, failure }: RequestTrace, isNotable: boolean): TraceKind {
  if (about.isOwn) return 'OWN';
  if (isNotable) return 'NOTABLE';
  return failure === undefined ? 'ORDINARY' : 'FAILED';
}

/** "tandem.v1.ReasoningService/Reason" → "Reason". */
function methodIn(name: string): string {
  return name.slice(name.lastIndexOf('/') + 1);
}

/** OpenTelemetry's semantic conventions for RPC spans. */
function describeRoot({ root, about, failure }: RequestTrace): void {
  root.set('rpc.system.name', 'grpc');
  root.set('rpc.method', about.name);
  root.set('rpc.response.status_code', failure === undefined ? 'OK' : ERROR_KINDS[failure.kind].code);
  if (failure === undefined) return;
  root.set('error.type', failure.kind);
  root.error = `${failure.kind}: ${failure.message}`;
}

/** The engine in this process tells its times with its answer; sidecars report spans of their own. */
function computeOf(attempt: OpenSpan): OpenSpan | undefined {
  if (attempt.get('tandem.engine_kind') !== 'local') return undefined;
  const queueUs = attempt.get('tandem.queue_us');
  const computeUs = attempt.get('tandem.compute_us');
  if (typeof queueUs !== 'number' || typeof computeUs !== 'number') return undefined;
  const startMs = attempt.startMs + queueUs / 1_000;
  const compute = new OpenSpan(attempt.trace, attempt, 'compute', 'INTERNAL', startMs);
  compute.end('', startMs + computeUs / 1_000);
  return compute;
}
