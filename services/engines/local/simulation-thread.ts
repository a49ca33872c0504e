// A worker that runs simulations, batch by batch.
import { parentPort } from 'node:worker_threads';
import { refuseState } from './check-state.ts';
import { refuseNotFinite } from './input-check.ts';
import { Interrupt, Interrupted } from './interrupt.ts';
import { LayerRecorder } from './layer-recorder.ts';
import type {
  Answer,
  Failure,
  Job,
  NetworkChange,
  RecordingAnswer,
  RecordingRequest,
  SimulationSetup,
} from './messages.ts';
import type { FromSimulation } from './packed-answers.ts';
import { packAnswers } from './packed-answers.ts';
import type { PackedBatch } from './packed-batch.ts';
import { unpackBatch } from './packed-batch.ts';
import { RecordingRing } from './recording-ring.ts';
import { RunRecorder } from './run-recorder.ts';
import type { RunSession } from './session-state.ts';
import { fromShared } from './shared-clock.ts';
import type { RunResult } from './simulator.ts';
import { NonFinite, Simulator } from './simulator.ts';
import { threadSetup } from './thread.ts';

/** Maximum time an answer waits for others of its batch. */
const ANSWER_EVERY_MS = 1;

const port = parentPort!;
const { flags, networks: first, recorderBytes } = threadSetup() as SimulationSetup;
const networks = new Map(first);
const simulators = new Map<string, { readonly simulator: Simulator; readonly recorder: RunRecorder }>();
const recordings = new RecordingRing(recorderBytes);

port.on('message', (message: PackedBatch | RecordingRequest | NetworkChange) => {
  if ('bytes' in message) runBatch(message);
  else if ('key' in message) changeNetwork(message);
  else port.postMessage({ recording: recordings.find(message.recording) } satisfies RecordingAnswer);
});

function changeNetwork({ key, network }: NetworkChange): void {
  simulators.delete(key);
  if (network === undefined) networks.delete(key);
  else networks.set(key, network);
}

function runBatch(batch: PackedBatch): void {
  const jobs = unpackBatch(batch);
  let answers: Answer[] = [];
  let answeredAt = performance.now();
  for (const [at, job] of jobs.entries()) {
    const input = new Float32Array(batch.bytes, 4 * job.offset, job.length);
    answers.push(answer(job, input, new Uint8Array(batch.bytes, job.stateOffset, job.stateLength)));
    const now = performance.now();
    const batchDone = at === jobs.length - 1;
    if (!batchDone && now - answeredAt < ANSWER_EVERY_MS) continue;
    const packed = packAnswers(answers);
    port.postMessage({ ...packed, batchDone } satisfies FromSimulation, [packed.bytes]);
    answers = [];
    answeredAt = now;
  }
}

function answer(job: Job, input: Float32Array, state: Uint8Array): Answer {
  const started = performance.now();
  const { outcome, recording } = simulate(job, input, state);
  return {
    slot: job.slot,
    recording,
    queueUs: microseconds(started - fromShared(job.receivedMs)),
    computeUs: microseconds(performance.now() - started),
    outcome,
  };
}

function simulate(job: Job, input: Float32Array, state: Uint8Array): Pick<Answer, 'outcome' | 'recording'> {
  const refusal = refuseNotFinite(input);
  if (refusal !== undefined) return { outcome: refusal, recording: 0 };
  let known: ReturnType<typeof simulatorOf> | undefined;
  let from = -1;
  try {
    known = simulatorOf(job.model);
    const { network, stateLayout } = known.simulator;
    const badState = state.length > 0 ? refuseState(state, job.steps, network, stateLayout) : undefined;
    if (badState !== undefined) return { outcome: badState, recording: 0 };
    from = recordings.reserve(known.recorder.wordsFor(job.steps));
    if (from >= 0) known.recorder.start(recordings.memory, from);
    const session = { state, returnState: job.returnState };
    const outcome = run(job, input, session, known.simulator, from >= 0 ? known.recorder.record : undefined);
    return { outcome, recording: from >= 0 ? keep(known.recorder, job.steps, job.steps, '') : 0 };
  } catch (error) {
    const outcome = toFailure(error);
    const isRecorded = error instanceof NonFinite && from >= 0;
    return { outcome, recording: isRecorded ? keep(known!.recorder, job.steps, error.step, outcome.kind) : 0 };
  }
}

function keep(recorder: RunRecorder, planned: number, steps: number, ended: string): number {
  return recordings.keep(recorder, recorder.wordsFor(planned), steps, ended);
}

function simulatorOf(model: string): { readonly simulator: Simulator; readonly recorder: RunRecorder } {
  let known = simulators.get(model);
  if (known === undefined) {
    const simulator = new Simulator(networks.get(model)!);
    known = { simulator, recorder: new RunRecorder(simulator) };
    simulators.set(model, known);
  }
  return known;
}

type OnStep = (step: number) => void;

function run(
  job: Job,
  input: Float32Array,
  session: RunSession,
  simulator: Simulator,
  record: OnStep | undefined,
): RunResult {
  const interrupt = new Interrupt(flags, job.slot, fromShared(job.deadlineMs));
  if (job.detail === 'READOUT') {
    const row = simulator.readoutRow;
    const rows = new Float32Array(job.steps * row.length);
    const onStep = (step: number): void => {
      rows.set(row, step * row.length);
      record?.(step);
    };
    const result = simulator.run(input, job.steps, interrupt, onStep);
    return { ...result, readoutPerStep: new Uint8Array(rows.buffer) };
  }
  if (job.detail !== 'SUMMARY') {
    const layers = new LayerRecorder(simulator.nodes, job.detail);
    const onStep = (step: number): void => {
      layers.record(step);
      record?.(step);
    };
    return { ...simulator.run(input, job.steps, interrupt, onStep, session), layers: layers.layers() };
  }
  const result = simulator.run(input, job.steps, interrupt, record, session);
  return job.digestOnly ? { ...result, spikeCounts: new Uint32Array(0), potentials: new Float32Array(0) } : result;
}

function toFailure(error: unknown): Failure {
  if (error instanceof Interrupted) return { kind: error.reason, message: 'the simulation was stopped', metadata: {} };
  if (error instanceof NonFinite) {
    const message = `${error.message}; check the input's range and the model's weights`;
    return { kind: 'NON_FINITE', message, metadata: { step: String(error.step), node: error.node } };
  }
  return { kind: 'ENGINE_FAULT', message: 'the local engine failed', metadata: {}, cause: String(error) };
}

function microseconds(ms: number): number {
  return Math.max(0, Math.round(1000 * ms));
}
