// All data sources of the dashboard, given by main.ts. They are read-only. Each view has only the fields that a page
// shows, so tests can use plain objects.
import type { EngineState } from '../core/engine-state.ts';
import type { CallContext } from '../core/inference.ts';
import type { EngineModel } from '../engines/engine.ts';
import type { ModelPins } from '../engines/model-pins.ts';
import type { ModelProblem } from '../engines/model-problems.ts';
import type { Reading } from '../telemetry/meter.ts';

export interface EngineView {
  readonly id: string;
  readonly kind: string;
  readonly state: EngineState;
  /** Why it takes no requests; empty if it does. */
  readonly unavailableReason: string;
  readonly build: string;
  readonly inFlight: number;
  /** Its description of the repository's models. */
  readonly models: readonly EngineModel[];
  /** Repository models that it cannot serve. */
  readonly modelProblems: readonly ModelProblem[];
  readonly breaker: {
    readonly state: string;
    /** Oldest first. */
    readonly events: readonly { readonly timeMs: number; readonly state: string; readonly why: string }[];
  };
  readonly speed: { readonly latencyMs: number };
  readonly limit: { readonly limit: number };
  readonly engine: {
    readonly address: string;
    readonly description: object | undefined;
  };
}

/** A model version of the repository. */
export interface ModelView {
  readonly name: string;
  readonly version: number;
  readonly inputKind: string;
  readonly inputShape: readonly number[] | undefined;
  readonly readout: { readonly from: string; readonly labels: readonly string[]; readonly temperature: number };
  readonly steps: number;
  /** Seconds. */
  readonly dt: number;
  readonly golden: readonly { readonly name: string; readonly data: Uint8Array; readonly stateDigest: bigint }[];
  /** Settings that have their defaults. */
  readonly defaults: readonly string[];
  /** Name under which engines hold it. */
  readonly heldAs: string;
  readonly isUnloaded: boolean;
  /** Undefined: it takes no text. */
  readonly tokenizer: object | undefined;
  readonly error: string;
}

type Attributes = Readonly<Record<string, string | number | boolean>>;

/** Why a trace is kept: see telemetry/trace-store.ts. */
export const TRACE_KINDS = ['ORDINARY', 'FAILED', 'NOTABLE', 'OWN'] as const;

export interface TraceSummaryView {
  readonly traceId: string;
  readonly kind: (typeof TRACE_KINDS)[number];
  readonly name: string;
  /** Milliseconds since 1970. */
  readonly startMs: number;
  readonly durationMs: number;
  readonly spans: number;
  readonly services: readonly string[];
  readonly error: string;
  /** Duration of the root span. */
  readonly attributes: Attributes;
}

export interface SpanView {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly name: string;
  readonly service: string;
  readonly instance: string;
  readonly kind: string;
  readonly startMs: number;
  readonly durationMs: number;
  readonly error: string;
  readonly attributes: Attributes;
  readonly events: readonly { readonly name: string; readonly timeMs: number; readonly attributes: Attributes }[];
}

/** Undefined: any. */
export interface TraceFilterView {
  readonly limit: number;
  /** The `next` of an earlier list. */
  readonly before: number | undefined;
  /** Beginning of the trace id. */
  readonly id: string;
  readonly kind: (typeof TRACE_KINDS)[number] | undefined;
  readonly onlyErrors: boolean;
  readonly minMs: number | undefined;
  /** Part of the model's name. */
  readonly model: string;
}

interface TracesView {
  /** Newest first. `next`: there may be more. */
  list(filter: TraceFilterView): { readonly traces: readonly TraceSummaryView[]; readonly next: number | undefined };
  has(traceId: string): boolean;
  /** Empty if the trace is unknown. */
  spans(traceId: string): readonly SpanView[];
}

/** The first difference between an engine and one that it contradicted. */
export interface DifferenceView {
  readonly engine: string;
  /** Empty: no comparison was possible. */
  readonly reference: string;
  /** In a sentence. */
  readonly text: string;
  /** Spikes of both around the difference; undefined: none to show. */
  readonly raster: RasterView | undefined;
}

/** Part of one node's spikes. */
interface RasterView {
  readonly node: string;
  readonly firstStep: number;
  readonly steps: number;
  readonly firstNeuron: number;
  readonly neurons: number;
  /** First step at which the node's state differs; undefined: it does not. */
  readonly stateStep: number | undefined;
  /** Base64. Row by row, one step each, `ceil(neurons / 8)` bytes; neuron k is bit k % 8 of byte k / 8. */
  readonly spikes: string;
  readonly referenceSpikes: string;
}

/** The engines' input. */
export interface DisputeInput {
  readonly model: string;
  readonly version: number;
  readonly shape: readonly number[];
  /** Little-endian float32. */
  readonly data: Uint8Array;
}

export interface DisputeView {
  readonly id: string;
  /** Milliseconds since 1970. */
  readonly timeMs: number;
  /** 32 hexadecimal digits; empty: the request was not traced. */
  readonly traceId: string;
  readonly model: string;
  readonly version: number;
  readonly strategy: string;
  readonly verdict: string;
  /** Engines that a strict majority contradicts. */
  readonly wrong: readonly string[];
  readonly ballots: readonly {
    readonly engineId: string;
    readonly build: string;
    readonly outcome: string;
    /** Sixteen hexadecimal digits; empty: absent. */
    readonly stateDigest: string;
    readonly readoutDigest: string;
    readonly why: string;
    readonly durationMs: number;
  }[];
  /** One for each dissenter; empty until the recordings are compared. */
  readonly differences: readonly DifferenceView[];
}

export interface EventView {
  readonly sequence: number;
  readonly timeMs: number;
  readonly topic: string;
  readonly severity: 'INFO' | 'WARNING' | 'ERROR';
  /** For people. */
  readonly text: string;
  /** Example: "engine": "engine-1". */
  readonly data: Readonly<Record<string, string>>;
  /** Number of occurrences. */
  readonly count: number;
  /** 32 hexadecimal digits; empty: not from a traced request. */
  readonly traceId: string;
}

/** A student and its teachers. */
export interface StudentView {
  readonly student: string;
  /** Why it cannot be read; empty: it can. */
  readonly error: string;
  readonly base: string;
  readonly labels: readonly string[];
  readonly features: number;
  readonly examples: number;
  readonly labelled: number;
  readonly heldOut: number;
  /** 0: none. */
  readonly publishedVersion: number;
  /** Sixteen hexadecimal digits. */
  readonly stateDigest: string;
  readonly teachers: readonly {
    readonly model: string;
    readonly weight: number;
    readonly regret: number;
    readonly regretBound: number;
    readonly accuracy: number;
  }[];
  readonly commits: readonly {
    readonly version: number;
    readonly timeMs: number;
    readonly status: string;
    readonly why: string;
    readonly heldOut: number;
    readonly accuracy: number;
  }[];
  readonly curve: readonly {
    readonly examples: number;
    readonly weights: readonly number[];
    readonly regrets: readonly number[];
    readonly studentAccuracy: number;
    readonly consensusAccuracy: number;
  }[];
}

/** The newest items, newest first. */
export interface Newest<T> {
  recent(limit: number): readonly T[];
}

interface SessionView {
  readonly serial: number;
  readonly id: string;
  /** Empty: it has no name. */
  readonly caller: string;
  readonly model: { readonly name: string; readonly version: number } | undefined;
  readonly step: number;
  readonly messages: number;
  readonly turns: { readonly length: number };
  readonly bytes: number;
  readonly engineId: string;
  /** By the clock of `nowMs`. */
  readonly openedMs: number;
  readonly usedMs: number;
}

interface SessionsView {
  /** Newest first. */
  list(limit: number): readonly SessionView[];
  nowMs(): number;
  /** The newest spikes of the session's readout since the first call; undefined: no such open session. */
  spikes(serial: number):
    | {
        readonly neurons: number;
        readonly rows: readonly {
          readonly fromStep: number;
          readonly toStep: number;
          readonly neurons: readonly number[];
        }[];
      }
    | undefined;
}

/** One call of /v2/…, the Open Inference Protocol. */
interface InferenceCall {
  readonly method: string;
  readonly path: string;
  /** Value of header Inference-Header-Content-Length; NaN: missing. */
  readonly headerBytes: number;
  readonly deadlineMs: number;
  readonly signal: CallContext['signal'];
  readonly owner?: CallContext['owner'];
  readonly body: () => Promise<Buffer>;
}

interface InferenceAnswer {
  /** Name of a gRPC status. */
  readonly code: string;
  readonly type: string;
  readonly body: string | Buffer;
  readonly headers: Readonly<Record<string, string>>;
}

/** A raised alert. */
interface AlertView {
  readonly name: string;
  readonly text: string;
  /** Milliseconds since 1970. */
  readonly sinceMs: number;
}

/** Flags with which a command on this machine reaches the router. */
interface ClientView {
  /** "host:port", or "unix:PATH"; empty: it does not listen yet. */
  readonly address: string;
  /** Other flags that `npx tandem` needs, such as "--ca CA.pem". */
  readonly flags: string;
}

export interface DashboardSources {
  readonly alerts: () => readonly AlertView[];
  readonly client: () => ClientView;
  /** An undefined result means: no such path. */
  readonly inference?: (call: InferenceCall) => Promise<InferenceAnswer | undefined>;
  readonly engines: () => readonly EngineView[];
  /** Whether the router can answer requests in its configuration, and what is missing; one line. */
  readonly readiness: () => { readonly isReady: boolean; readonly why: string };
  /** The same models, as read by the router. */
  readonly pins: ModelPins;
  readonly models: { readonly versions: readonly ModelView[]; readonly defaultModel: string };
  /** The same data that GetMetrics and Prometheus get. */
  readonly read: () => Reading;
  readonly router: { readonly strategy: string };
  readonly sessions: SessionsView;
  readonly traces: TracesView;
  readonly disputes: Newest<DisputeView> & {
    /** Undefined: not stored, or dropped. */
    input(id: string): DisputeInput | undefined;
  };
  readonly events: Newest<EventView>;
  /** States of students, by name. */
  readonly learning: () => Promise<readonly StudentView[]>;
  /** Prometheus's text; undefined: there is none. */
  readonly exposition: ((accept: string) => Promise<{ contentType: string; body: string }>) | undefined;
  /** Answers one ReasonRequest in protobuf's JSON; undefined: requests from the dashboard are off. */
  readonly reason: ((request: unknown, context: CallContext) => Promise<ReasonReply>) | undefined;
}

export interface ReasonReply {
  /** "OK", or a gRPC status. */
  readonly code: string;
  /** ReasonResponse or ReasonError in protobuf's JSON. */
  readonly body: unknown;
}
