// Limits on each message of an engine (engine.proto, and the limits of proto/NUMERICS.md), which bound work and memory
// before it is decoded.
import { MAX_LAYER_COUNTS, MAX_RASTER_EVENTS, MAX_STATE_BYTES, MAX_TRACE_DIGESTS } from '../engine.ts';
import { FieldLimit, MessageLimits, scan } from '../../core/wire-scan.ts';

/** Maximum elements of a model's output. */
export const MAX_OUTPUTS = 1_048_576;
/** Maximum of any message: an answer of the largest model takes about 10 MiB. */
export const MAX_MESSAGE_BYTES = 16 * 1_048_576;
const MAX_DESCRIBE_BYTES = 1_048_576;
const MAX_RECORDING_BYTES = 8 * 1_048_576;
const MAX_NODES = 4_096;
const MAX_MODELS = 1_024;
const MAX_STEPS = 100_000;
const MAX_RESULTS = 4_096;
const MAX_METADATA = 16;
/** Maximum of a text: our own engine's longest text is a model error with a few node names. */
const MAX_TEXT_BYTES = 16_384;

/** Bytes of an answer besides its outputs and its layers. */
const ANSWER_BYTES = 4_096;
const MESSAGE_BYTES = 65_536;
/** A count and a potential. */
const OUTPUT_BYTES = 9;
/** All layers of an answer: a count takes 3 bytes at most, an event 6. The rest is for names. A readout takes less. */
const LAYERS_BYTES = 3 * MAX_LAYER_COUNTS + 6 * MAX_RASTER_EVENTS + 1_048_576;
/** A few unrequested answers are allowed, and counted (InferStream.unexpectedAnswers). */
const STRAY_RESULTS = 16;
/** A short answer with a wrong length is only that answer's fault. */
const MIN_OUTPUTS = 1_024;
const MAX_UNASKED_LAYERS = 64;

const text = (name: string): FieldLimit => new FieldLimit({ name, bytes: MAX_TEXT_BYTES });
const numbers = (name: string, most: number): FieldLimit => new FieldLimit({ name, numbers: most });

const MODEL = new MessageLimits({ 1: text('a name'), 6: text('an error') });

const LOADED = new MessageLimits({ 1: { name: 'models', times: 1, within: MODEL } });

const DESCRIPTION = new MessageLimits({
  1: text('an engine id'),
  2: text('a build'),
  4: { name: 'models', times: MAX_MODELS, within: MODEL },
  9: { name: 'an instance id', bytes: 64 },
});

const RECORDED_NODE = new MessageLimits({
  1: text('a name'),
  4: { name: 'state checksums', times: MAX_STEPS, bytes: 4 * MAX_STEPS },
});

const RECORDING = new MessageLimits({
  1: text('a name'),
  4: { name: 'nodes', times: MAX_NODES, within: RECORDED_NODE },
  5: text('a reason'),
});

const TRACE = new MessageLimits({
  1: { name: 'nodes', times: MAX_NODES, bytes: MAX_TEXT_BYTES },
  2: { name: 'digests', times: MAX_TRACE_DIGESTS, bytes: 8 * MAX_TRACE_DIGESTS },
  6: text('a reason'),
});

const LAYER = new MessageLimits({
  1: text('a name'),
  4: numbers('counts of a layer', MAX_LAYER_COUNTS),
  5: numbers('steps of events', MAX_RASTER_EVENTS),
  6: numbers('neurons of events', MAX_RASTER_EVENTS),
});

const layers = new FieldLimit({ name: 'layers', times: MAX_NODES, within: LAYER });
const spikeCounts = numbers('spike counts', MAX_OUTPUTS);
const potentials = new FieldLimit({ name: 'potentials' });
const state = new FieldLimit({ name: 'a session state' });
const readoutPerStep = new FieldLimit({ name: 'readout' });
const INFERENCE = new MessageLimits({
  ...{ 3: spikeCounts, 4: potentials, 11: layers, 14: state },
  15: readoutPerStep,
});

const FACT = new MessageLimits({ 1: text('a name'), 2: text('a fact') });
const ERROR = new MessageLimits({
  2: text('a reason'),
  3: text('a message'),
  4: { name: 'facts of an error', times: MAX_METADATA, within: FACT },
});

const RESULT = new MessageLimits({
  2: { name: 'answer to one input', within: INFERENCE },
  3: { name: 'answer to one input', within: ERROR },
});
const results = new FieldLimit({ name: 'results', times: MAX_RESULTS, within: RESULT });
const INFER_STREAM = new MessageLimits({ 1: results });

/** The unanswered inputs of an engine on a stream. */
export interface Owed {
  readonly answers: number;
  /** How many of them asked for detail. */
  readonly withLayers: number;
  /** How many of them asked for a session state. */
  readonly withState: number;
  /** Elements of the largest output among their models. */
  readonly outputs: number;
}

/** Throws, with a plain reason, for a message that cannot be an answer to these inputs. */
export function checkInferMessage(bytes: Uint8Array, owed: Owed): void {
  const outputs = Math.max(MIN_OUTPUTS, owed.outputs);
  results.times = Math.min(MAX_RESULTS, 2 * owed.answers + STRAY_RESULTS);
  layers.times = owed.withLayers > 0 ? MAX_NODES : MAX_UNASKED_LAYERS;
  spikeCounts.numbers = outputs;
  potentials.bytes = 4 * outputs;
  readoutPerStep.bytes = 4 * (owed.withLayers > 0 ? MAX_LAYER_COUNTS : MIN_OUTPUTS);
  state.bytes = owed.withState > 0 ? MAX_STATE_BYTES : 0;
  const extraBytes = owed.withLayers * LAYERS_BYTES + owed.withState * MAX_STATE_BYTES;
  const answersBytes = results.times * (ANSWER_BYTES + OUTPUT_BYTES * outputs) + extraBytes;
  check(bytes, INFER_STREAM, Math.min(MAX_MESSAGE_BYTES, MESSAGE_BYTES + answersBytes));
}

export function checkDescription(bytes: Uint8Array): void {
  check(bytes, DESCRIPTION, MAX_DESCRIBE_BYTES);
}

export function checkLoaded(bytes: Uint8Array): void {
  check(bytes, LOADED, MAX_DESCRIBE_BYTES);
}

export function checkRecording(bytes: Uint8Array): void {
  check(bytes, RECORDING, MAX_RECORDING_BYTES);
}

export function checkTrace(bytes: Uint8Array): void {
  check(bytes, TRACE, MAX_MESSAGE_BYTES);
}

function check(bytes: Uint8Array, limits: MessageLimits, maxBytes: number): void {
  if (bytes.length > maxBytes) throw new Error(`${bytes.length} bytes, where ${maxBytes} are the most`);
  scan(bytes, limits);
}
