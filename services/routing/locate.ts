// Where engines that contradict each other began to differ: their recordings of that very run are fetched and compared.
// Running the input again does not show a fault that has passed.
//
// It happens beside the requests, within bounds, and never throws: what cannot be found out is said in words.
import { RouterError } from '../core/errors.ts';
import type { InferenceInput } from '../core/inference.ts';
import type { Engine, Recording } from '../engines/engine.ts';
import type { ModelPins } from '../engines/model-pins.ts';
import type { CastBallot, Dispute } from './dispute.ts';
import { type Pairing, pairOf } from './locate-pairs.ts';
import { Permits } from './permits.ts';
import { type Comparison, type RunFacts, compareRecordings, mismatch, recordingProblem } from './recording-compare.ts';
import { type DifferenceRaster, rasterOf } from './recording-raster.ts';
import { describeComparison, describeUnknown } from './recording-text.ts';
import { within } from './replay-time.ts';

/** What became of one engine's contradiction. */
export interface RecordedDifference {
  readonly engine: string;
  /** What it was compared with; empty: nothing could be compared. */
  readonly reference: string;
  readonly comparison: Comparison | undefined;
  /** A sentence. Where nothing was compared it says why. */
  readonly text: string;
  readonly raster: DifferenceRaster | undefined;
}

interface LocatorOptions {
  /** The engines of the pool. */
  readonly engines: () => readonly Pick<Engine, 'id' | 'recording'>[];
  readonly pins: ModelPins;
  /** Milliseconds that one engine has for its recording. */
  readonly timeoutMs?: number;
}

interface Fetched {
  readonly id: string;
  readonly recording: Recording;
}

const TIMEOUT_MS = 2_000;
const MAX_FETCHES = 32;
/** So that one engine that hangs does not hold up what is said of the others. */
const MAX_FETCHES_PER_ENGINE = 4;
/** Disputes whose recordings are fetched, or wait for it. */
const MAX_DISPUTES = MAX_FETCHES + 256;
/** Bytes of their inputs, which are kept for the dispute's record. */
const MAX_INPUT_BYTES = 16 * 1_048_576;

export class Locator {
  readonly #options: LocatorOptions;
  readonly #permits = new Permits({ total: MAX_FETCHES, perKey: MAX_FETCHES_PER_ENGINE });
  readonly #stopped = new AbortController();
  #disputes = 0;
  #inputBytes = 0;

  constructor(options: LocatorOptions) {
    this.#options = options;
  }

  /** One for each dissenter, the first four. Never rejects. */
  async locate(dispute: Dispute): Promise<readonly RecordedDifference[]> {
    const pairing = pairOf(dispute);
    const bytes = dispute.input.data.length;
    if (this.#disputes >= MAX_DISPUTES || this.#inputBytes + bytes > MAX_INPUT_BYTES) {
      return pairing.dissenters.map(({ engineId }) => unknown(engineId, 'there are too many disputes at once'));
    }
    this.#disputes += 1;
    this.#inputBytes += bytes;
    try {
      return await this.#compareAll(pairing, dispute.input);
    } finally {
      this.#disputes -= 1;
      this.#inputBytes -= bytes;
    }
  }

  /** What is still looked for ends at once. */
  stop(): void {
    this.#stopped.abort(new RouterError('DRAINING', 'the router is stopping'));
  }

  async #compareAll(pairing: Pairing, input: InferenceInput): Promise<readonly RecordedDifference[]> {
    const { dissenters, agreeing } = pairing;
    if (dissenters.every(({ recordingId }) => recordingId === 0n)) {
      return dissenters.map(({ engineId }) => unknown(engineId, 'it did not record that run'));
    }
    const run = this.#factsOf(input);
    const [reference, ...fetched] = await Promise.all([
      this.#firstOf(agreeing, run),
      ...dissenters.map((ballot) => this.#fetch(ballot, run)),
    ]);
    return dissenters.map(({ engineId }, index) => compare(engineId, fetched[index]!, reference, pairing.isCertain));
  }

  /** Of the first engine that still has it. */
  async #firstOf(ballots: readonly CastBallot[], run: RunFacts): Promise<Fetched | string> {
    let why = 'no engine that agreed has recorded it';
    for (const ballot of ballots) {
      const fetched = await this.#fetch(ballot, run);
      if (typeof fetched !== 'string') return fetched;
      why = `of those that agreed: ${ballot.engineId}: ${fetched}`;
    }
    return why;
  }

  /** In words, why there is none. */
  async #fetch({ engineId: id, recordingId }: CastBallot, run: RunFacts): Promise<Fetched | string> {
    if (recordingId === 0n) return 'it did not record that run';
    try {
      const { timeoutMs = TIMEOUT_MS, engines } = this.#options;
      const limits = { signal: this.#stopped.signal, deadlineMs: Infinity };
      const recording = await this.#permits.run(id, async () => {
        const engine = engines().find((each) => each.id === id);
        if (engine === undefined) throw new RouterError('UNKNOWN_ENGINE', 'it is not in the pool any more');
        return await within(timeoutMs, limits, (context) => engine.recording(recordingId, context));
      });
      const problem = recordingProblem(recording, run);
      return problem === '' ? { id, recording } : `its recording is not valid: ${problem}`;
    } catch (thrown) {
      return RouterError.from(thrown).message;
    }
  }

  #factsOf({ model, version, shape }: InferenceInput): RunFacts {
    const pin = this.#options.pins.find(model, version);
    if (pin === undefined || pin.error !== '') return { steps: undefined, nodes: undefined, readout: undefined };
    return { steps: pin.inputKind === 'series' ? shape[0] : pin.steps, nodes: pin.nodes, readout: pin.outputSize };
  }
}

function compare(
  engine: string,
  fetched: Fetched | string,
  reference: Fetched | string,
  isCertain: boolean,
): RecordedDifference {
  if (typeof fetched === 'string') return unknown(engine, fetched);
  if (typeof reference === 'string') return unknown(engine, reference);
  const problem = mismatch(fetched.recording, reference.recording);
  if (problem !== '')
    return unknown(engine, `its recording cannot be compared with that of ${reference.id}: ${problem}`);
  const comparison = compareRecordings(fetched.recording, reference.recording);
  return {
    engine,
    reference: reference.id,
    comparison,
    text: describeComparison(comparison, { engine, reference: reference.id, isCertain }),
    raster: rasterOf(comparison, fetched.recording, reference.recording),
  };
}

function unknown(engine: string, why: string): RecordedDifference {
  return { engine, reference: '', comparison: undefined, text: describeUnknown(engine, why), raster: undefined };
}
