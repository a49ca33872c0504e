// A worker that runs simulations, batch by batch.
import { parentPort } from 'node:worker_threads';
import { refuseNotFinite } from './input-check.ts';
import { Interrupt, Interrupted } from './interrupt.ts';
import { LayerRecorder } from './layer-recorder.ts';
import type { Answer, Batch, Failure, FromSimulation, Job, SimulationSetup } from './messages.ts';
import { fromShared } from './shared-clock.ts';
import type { RunResult } from './simulator.ts';
import { NonFinite, Simulator } from './simulator.ts';
import { threadSetup } from './thread.ts';

/** Answers wait for others of their batch at most this long. */
const ANSWER_EVERY_MS = 1;

const port = parentPort!;
const { flags, networks } = threadSetup() as SimulationSetup;
const simulators = new Map<string, Simulator>();

port.on('message', runBatch);

function runBatch({ jobs, inputs }: Batch): void {
  let answers: Answer[] = [];
  let answeredAt = performance.now();
  for (const [at, job] of jobs.entries()) {
    answers.push(answer(job, new Float32Array(inputs, 4 * job.offset, job.length)));
    const now = performance.now();
    const batchDone = at === jobs.length - 1;
    if (!batchDone && now - answeredAt < ANSWER_EVERY_MS) continue;
    port.postMessage({ answers, batchDone } satisfies FromSimulation);
    answers = [];
    answeredAt = now;
  }
}

function answer(job: Job, input: Float32Array): Answer {
  const started = performance.now();
  let outcome: RunResult | Failure;
  try {
    outcome = simulate(job, input);
  } catch (error) {
    outcome = toFailure(error);
  }
  return {
    slot: job.slot,
    queueUs: microseconds(started - fromShared(job.receivedMs)),
    computeUs: microseconds(performance.now() - started),
    outcome,
  };
}

function simulate(job: Job, input: Float32Array): RunResult | Failure {
  const refusal = refuseNotFinite(input);
  if (refusal !== undefined) return refusal;
  let simulator = simulators.get(job.model);
  if (simulator === undefined) {
    simulator = new Simulator(networks.get(job.model)!);
    simulators.set(job.model, simulator);
  }
  const interrupt = new Interrupt(flags, job.slot, fromShared(job.deadlineMs));
  if (job.detail !== 'SUMMARY') {
    const recorder = new LayerRecorder(simulator.nodes, job.detail);
    return { ...simulator.run(input, job.steps, interrupt, recorder.record), layers: recorder.layers() };
  }
  const run = simulator.run(input, job.steps, interrupt);
  return job.digestOnly ? { ...run, spikeCounts: new Uint32Array(0), potentials: new Float32Array(0) } : run;
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
