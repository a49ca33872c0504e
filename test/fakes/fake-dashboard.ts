// The data of a dashboard as plain objects, with names that would be an attack if a page used them as markup.
import type {
  DashboardSources,
  StudentView,
  DifferenceView,
  EngineView,
  SpanView,
  TraceSummaryView,
} from '../../services/dashboard/sources.ts';
import { fakePinned } from './fake-engine.ts';
import { metered, meteredEngine } from '../support/metered.ts';

const MARKUP = '<img src=x onerror="document.title=`hacked`">';
export const HOSTILE = `${MARKUP}\u202e\u{9b}`;
/** Its form on the pages. */
export const HOSTILE_SHOWN = `${MARKUP}\\u{202e}\\u{9b}`;
export const TRACE_ID = '0af7651916cd43dd8448eb211c80319c';

function fakeEngine(over: Partial<EngineView> = {}): EngineView {
  return {
    id: 'engine-1',
    kind: 'sidecar',
    state: 'READY',
    unavailableReason: '',
    build: 'tandem-engine 0.1.0',
    inFlight: 3,
    models: [heldModel()],
    modelProblems: [],
    breaker: { state: 'CLOSED', events: [] },
    speed: { latencyMs: 0.8 },
    limit: { limit: 20 },
    engine: { address: 'unix:/run/tandem/engine-1.sock', description: {} },
    ...over,
  };
}

function heldModel(over: object = {}): EngineView['models'][number] {
  const sizes = { inputSize: 2, outputSize: 3, nodes: 4, parameters: 20 };
  return { name: 'toy', version: 1, modelId: 0xabcn, ...sizes, error: '', ...over };
}

function span(over: Partial<SpanView>): SpanView {
  return {
    traceId: TRACE_ID,
    spanId: '00f067aa0ba902b7',
    parentSpanId: '',
    name: 'Reason',
    service: 'tandem-router',
    instance: 'router',
    kind: 'SERVER',
    startMs: 1_790_000_000_000,
    durationMs: 4,
    error: '',
    attributes: { 'tandem.model': 'toy' },
    events: [],
    ...over,
  };
}

/** One of everything; only the names are hostile. */
export function fakeSources(over: Partial<DashboardSources> = {}): DashboardSources {
  const { metrics, meter } = metered({
    engines: [meteredEngine('engine-1', { inFlight: 3 }), meteredEngine(HOSTILE, { state: 'DOWN' })],
    ...{ inFlight: 2, cache: { entries: 1, bytes: 600, evictions: 0 }, connections: { open: 1, total: 5 } },
  });
  for (let n = 1; n <= 100; n += 1) metrics.requestEnded('Reason', 'OK', n / 10);
  metrics.requestEnded('Reason', 'NO_ENGINE', 1);
  metrics.planned('ROUND_ROBIN');
  metrics.voted('MAJORITY', [HOSTILE]);
  metrics.attemptEnded('engine-1', 'OK', 1);
  const spans = [
    span({}),
    span({
      spanId: '00f067aa0ba902b8',
      parentSpanId: '00f067aa0ba902b7',
      name: `attempt ${HOSTILE}`,
      startMs: 1_790_000_000_001,
      durationMs: 2,
      error: 'ENGINE_LOST: it disconnected',
      kind: 'CLIENT',
      attributes: { 'tandem.engine': HOSTILE },
      events: [{ name: 'retry', timeMs: 1_790_000_000_002, attributes: { reason: HOSTILE } }],
    }),
    // For an engine with another name in the router than its own.
    span({
      spanId: '00f067aa0ba902b9',
      parentSpanId: '00f067aa0ba902b8',
      name: 'infer',
      service: 'tandem-engine',
      instance: 'host:50061',
      startMs: 1_790_000_000_001.5,
      durationMs: 1,
    }),
  ];
  return {
    engines: () => [
      fakeEngine(),
      fakeEngine({
        id: HOSTILE,
        state: 'DOWN',
        unavailableReason: 'down: connection refused',
        build: HOSTILE,
        breaker: { state: 'OPEN', events: [{ timeMs: 1_790_000_000_000, state: 'OPEN', why: HOSTILE }] },
        engine: { address: HOSTILE, description: undefined },
      }),
    ],
    alerts: () => [
      { name: 'TandemEngineDown', text: `engines that are not usable: ${HOSTILE}`, sinceMs: 1_790_000_000_000 },
    ],
    client: () => ({ address: '127.0.0.1:50077', flags: '' }),
    readiness: () => ({ isReady: true, why: '1 of 2 engines ready for toy/1' }),
    learning: () => Promise.resolve([fakeStudent()]),
    pins: { find: (name) => (name === 'toy' ? fakePinned(heldModel()) : undefined) },
    models: {
      defaultModel: 'toy',
      versions: [
        {
          name: 'toy',
          version: 1,
          inputKind: 'constant',
          inputShape: [2],
          readout: { from: 'spike_count', labels: ['a', HOSTILE, 'c'], temperature: 1 },
          steps: 16,
          dt: 1e-3,
          ...{ defaults: [`dt ${HOSTILE}`], heldAs: 'toy', isUnloaded: false },
          golden: [{ name: HOSTILE, data: new Uint8Array(8), stateDigest: 0x1234n }],
          tokenizer: undefined,
          error: '',
        },
        {
          name: HOSTILE,
          version: 2,
          inputKind: 'series',
          inputShape: undefined,
          readout: { from: 'spike_count', labels: [], temperature: 1 },
          steps: 0,
          dt: 1e-3,
          golden: [],
          ...{ defaults: [], heldAs: HOSTILE, isUnloaded: false },
          tokenizer: undefined,
          error: `model.yaml: ${HOSTILE}`,
        },
      ],
    },
    read: () => meter.read(),
    router: { strategy: 'ROUND_ROBIN' },
    sessions: {
      nowMs: () => 5_000,
      list: () => [
        {
          ...{
            serial: 7,
            id: HOSTILE,
            caller: HOSTILE,
            model: { name: 'toy', version: 1 },
            step: 48,
            messages: 3,
            bytes: 4_096,
          },
          ...{ turns: { length: 1 }, engineId: HOSTILE, openedMs: 0, usedMs: 4_000 },
        },
      ],
      spikes: (serial) =>
        serial === 7 ? { neurons: 2, rows: [{ fromStep: 45, toStep: 48, neurons: [1] }] } : undefined,
    },
    traces: {
      has: (traceId) => traceId === TRACE_ID,
      list: ({ limit, id, before = 3 }) => {
        const summary: TraceSummaryView = {
          traceId: TRACE_ID,
          kind: 'OWN',
          name: `Reason ${HOSTILE}`,
          startMs: 1_790_000_000_000,
          durationMs: 4,
          spans: 2,
          services: ['tandem-router', HOSTILE],
          error: '',
          attributes: { 'tandem.model': HOSTILE },
        };
        // Two pages of one trace each.
        const traces = TRACE_ID.startsWith(id) && before > 1 && limit > 0 ? [summary] : [];
        return { traces, next: before === 3 ? 2 : undefined };
      },
      spans: (traceId) => (traceId === TRACE_ID ? spans : []),
    },
    disputes: {
      input: (id) => (id === '7' ? { model: 'toy', version: 1, shape: [2], data: new Uint8Array(8) } : undefined),
      recent: () => [
        {
          id: '7',
          timeMs: 1_790_000_000_000,
          traceId: TRACE_ID,
          model: HOSTILE,
          version: 1,
          strategy: 'REDUNDANT',
          verdict: 'MAJORITY',
          wrong: [HOSTILE],
          ballots: ['engine-1', 'engine-2', HOSTILE].map((engineId, at) => ({
            engineId,
            build: HOSTILE,
            outcome: at < 2 ? 'AGREED' : 'DISSENTED',
            stateDigest: at < 2 ? '00000000000000aa' : '00000000000000ab',
            readoutDigest: '00000000000000bb',
            why: '',
            durationMs: 1,
          })),
          differences: [fakeDifference()],
        },
      ],
    },
    events: {
      recent: () => [
        {
          sequence: 1,
          timeMs: 1_790_000_000_000,
          topic: 'engine',
          severity: 'WARNING',
          text: `engine ${HOSTILE} is down`,
          data: { engine: 'engine-1', why: HOSTILE },
          count: 17,
          traceId: TRACE_ID,
        },
      ],
    },
    exposition: undefined,
    reason: undefined,
    ...over,
  };
}

/** A node of 20 neurons over 12 steps: from step 4 on neuron 5 spikes in one of two engines only. */
function fakeDifference(): DifferenceView {
  const [steps, neurons, rowBytes] = [12, 20, 3];
  const spikes = (isOdd: (step: number, neuron: number) => boolean): string => {
    const rows = new Uint8Array(steps * rowBytes);
    for (let step = 0; step < steps; step += 1) {
      for (let neuron = 0; neuron < neurons; neuron += 1) {
        const hasSpike = (neuron * 7 + step * 3) % 11 === 0 || isOdd(step, neuron);
        if (hasSpike) rows[step * rowBytes + (neuron >> 3)]! |= 1 << (neuron % 8);
      }
    }
    return Buffer.from(rows).toString('base64');
  };
  const place = 'first different spike: step 4, node "lif1", neuron 5';
  return {
    engine: HOSTILE,
    reference: 'engine-1',
    text: `${HOSTILE} differed from engine-1 first at step 2 in node "lif1" (potentials); ${place}`,
    raster: {
      ...{ node: HOSTILE, firstStep: 0, steps, firstNeuron: 0, neurons, stateStep: 2 },
      spikes: spikes((step, neuron) => neuron === 5 && step >= 4),
      referenceSpikes: spikes(() => false),
    },
  };
}

/** An answer with everything that a page can show. */
export function fakeAnswer(): object {
  const steps = 16;
  const layer = (node: string, neurons: number): object => {
    const events = Array.from({ length: steps }, (_, step) =>
      Array.from({ length: neurons }, (_, neuron) => neuron).filter((n) => (n * 7 + step * 3) % 11 === 0),
    );
    return {
      ...{ node, neurons, spikesPerStep: events.map((fired) => fired.length) },
      spikes: String(events.flat().length),
      eventSteps: events.flatMap((fired, step) => fired.map(() => step)),
      eventNeurons: events.flat(),
    };
  };
  return {
    requestId: 'r-1',
    label: HOSTILE,
    labelIndex: 1,
    confidence: 0.8,
    scores: [0.15, 0.8, 0.05],
    spikeCounts: [3, 9, 1],
    totalSpikes: '412',
    synapticOperations: '90231',
    stateDigest: '4660',
    model: 'toy',
    modelVersion: 1,
    steps,
    engine: { engineId: HOSTILE, kind: 'ENGINE_KIND_SIDECAR', build: 'b' },
    strategy: 'STRATEGY_REDUNDANT',
    attempts: [{ engineId: 'engine-1', outcome: 'OK', durationUs: 900 }],
    timing: { queueUs: 40, engineUs: 900, computeUs: 500, totalUs: 1_300 },
    cache: 'CACHE_STATUS_BYPASSED',
    grade: 'GRADE_MAJORITY',
    vote: {
      ballots: [
        { engineId: 'engine-1', stateDigest: '4660', outcome: 'BALLOT_OUTCOME_AGREED', durationUs: 900 },
        { engineId: 'local', stateDigest: '4660', outcome: 'BALLOT_OUTCOME_AGREED', durationUs: 1_100 },
        { engineId: HOSTILE, stateDigest: '4661', outcome: 'BALLOT_OUTCOME_DISSENTED', durationUs: 800 },
        { engineId: 'engine-3', outcome: 'BALLOT_OUTCOME_ABSENT', why: 'ENGINE_LOST' },
      ],
    },
    layers: [layer('lif1', 128), layer('output', 45)],
  };
}

function fakeStudent(): StudentView {
  const point = { weights: [0.25, 0.75], regrets: [0.5, -1], studentAccuracy: 0.5, consensusAccuracy: 0.75 };
  const teacher = { weight: 0.75, regret: 0.5, regretBound: 3, accuracy: 0.875 };
  const numbers = { features: 3, examples: 40, labelled: 30, heldOut: 8, publishedVersion: 2 };
  return {
    ...{
      student: HOSTILE,
      error: '',
      base: HOSTILE,
      labels: ['a', HOSTILE],
      stateDigest: '00000000000012ab',
      ...numbers,
    },
    teachers: [
      { model: `${HOSTILE}/1`, ...teacher },
      { model: 'toy/1', ...teacher },
    ],
    commits: [{ version: 2, timeMs: 1_790_000_000_000, status: 'REJECTED', why: HOSTILE, heldOut: 8, accuracy: 0.625 }],
    curve: [
      { examples: 10, ...point },
      { examples: 20, ...point },
    ],
  };
}
