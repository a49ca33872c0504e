// Decides which traces are kept. Every request is recorded (core/request-trace.ts). At its end the trace is kept if it
// is in the sample, which is decided at the start because engines must know it. It is also kept if the request failed
// or was slow, engines contradicted each other, or a breaker opened. OpenTelemetry's own head sampling cannot do that,
// since it decides at the start only. Its spans also cost as much as all other work for a request.
import { ERROR_KINDS } from '../core/errors.ts';
import type { EncodedSpans, SpanSource } from '../core/encoded-spans.ts';
import { type OpenEvent, OpenSpan, RequestTrace, type TraceKeeper } from '../core/request-trace.ts';
import { TokenBucket } from '../core/token-bucket.ts';
import { isInSample, newTraceId, parseTraceParent } from '../core/trace-parent.ts';
import { EpochClock } from './epoch-clock.ts';
import { SpanEncoder } from './span-encoder.ts';
import type { TraceKind } from './trace-store.ts';

interface Sampler {
  /** Use the caller's decision, if there is one. */
  readonly isParentBased: boolean;
  /** Share of the other requests, 0 to 1. */
  readonly ratio: number;
}

export interface TracingOptions {
  /** If false, nothing is recorded or kept; answers still have a trace id. */
  readonly enabled: boolean;
  readonly sampler: Sampler;
  /**
   * Limit on requests a second that are sampled because of their caller's flag, if `ratio` is below 1. By default no
   * limit.
   */
  readonly callerSamplesPerS?: number;
  /** Requests that take at least this time are kept, milliseconds; 0: off. */
  readonly slowMs: number;
  readonly withLayers: boolean;
  /** This router. */
  readonly source: SpanSource;
  /** Gets kept traces. Called on the hot path: it must be fast and must not throw. */
  readonly onKept: (spans: EncodedSpans, kind: TraceKind) => void;
  /** Called once for each request that was answered and kept: an example of a latency. `method`: as in `begin`. */
  readonly onExample?: (method: string, durationMs: number, traceId: string) => void;
  /** Called for every request, kept or not. */
  readonly onEnded?: (trace: RequestTrace, durationMs: number) => void;
}

/** Numbers of kept traces by reason, and of traces that were not kept. */
interface TraceCounts {
  readonly sampled: number;
  readonly failed: number;
  /** With an event: a dispute, a breaker that opened, a quarantine. */
  readonly notable: number;
  readonly slow: number;
  /** Nothing notable happened. */
  readonly left: number;
  /** They should have been kept, but they were over the limit. */
  readonly dropped: number;
}

export const SERVICE = 'tandem-router';
const PACKAGE = 'tandem.v1.';
const REASONING = 'ReasoningService/';
const HAS_PACKAGE = /\..*\//;
/** Maximum length of tracestate: W3C Trace Context, 3.3.1.5. */
const MAX_TRACE_STATE_CHARS = 512;
/**
 * Maximum traces kept a second outside the sample. There may be many failures at once, and keeping their traces must
 * not add much load.
 */
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
  /** Cached by method, so that a name is not built for every request. */
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

  /** Applies to requests that begin from now on. */
  configure(options: Partial<Omit<TracingOptions, 'source'>>): void {
    this.#options = { ...this.#options, ...options };
    if (options.callerSamplesPerS !== undefined) this.#callerSamples = toBucket(this.#options);
  }

  get counts(): TraceCounts {
    return { ...this.#counts };
  }

  /**
   * `method`: the rpc's name, "ReasonBatch.item", or with its service "AgentService/Query", or with its package, too.
   * `traceParent`, `traceState`: the caller's headers, or empty. `isOwn`: the caller links to the trace.
   */
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

  /** A caller chooses its flag and its trace id, so the number of traces kept for that is limited. */
  #isSampled(traceId: string, caller: { readonly isSampled: boolean } | undefined, isOwn: boolean): boolean {
    const { isParentBased, ratio } = this.#options.sampler;
    if (caller === undefined && !isOwn) return isInSample(traceId, ratio);
    const isWanted = isOwn || (isParentBased && caller !== undefined ? caller.isSampled : isInSample(traceId, ratio));
    return isWanted && (ratio >= 1 || this.#callerSamples === undefined || this.#callerSamples.take() === 0);
  }

  /** The recording of the request; undefined if nothing is recorded. */
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

  /** A background check may add an event to a request long after its end. */
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
    this.#options.onKept(this.#encoder.encode([news], event.timeMs), kindOf(trace, true));
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
    const spans = [trace.root];
    for (const span of trace.spans) {
      spans.push(span);
      const compute = computeOf(span);
      if (compute !== undefined) spans.push(compute);
    }
    // An attempt that was still running at the end of the request was cancelled.
    this.#options.onKept(this.#encoder.encode(spans, endMs), kindOf(trace, trace.events.length > 0));
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

/** The local engine gives its times with its answer; sidecars send their own spans. */
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
