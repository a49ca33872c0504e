// Finds the first difference between engines that contradict each other, by comparing their recordings of that run.
// Running the input again would not show a temporary fault.
//
// It runs in the background, within limits, and never throws: if the difference cannot be found, the text says why.
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

/** The result for one dissenting engine. */
export interface RecordedDifference {
  readonly engine: string;
  /** The engine that it was compared with; empty: no comparison was possible. */
  readonly reference: string;
  readonly comparison: Comparison | undefined;
  /** A sentence. Without a comparison it gives the reason. */
  readonly text: string;
  readonly raster: DifferenceRaster | undefined;
}

interface LocatorOptions {
  /** The engines of the pool. */
  readonly engines: () => readonly Pick<Engine, 'id' | 'recording'>[];
  readonly pins: ModelPins;
  /** Time limit for one engine's recording, milliseconds. */
  readonly timeoutMs?: number;
}

interface Fetched {
  readonly id: string;
  readonly recording: Recording;
}

const TIMEOUT_MS = 2_000;
const MAX_FETCHES = 32;
/** Limit, so that a hanging engine does not delay the result for the others. */
const MAX_FETCHES_PER_ENGINE = 4;
/** Maximum disputes whose recordings are being fetched or wait for that. */
const MAX_DISPUTES = MAX_FETCHES + 256;
/** Maximum bytes of their inputs, which are kept for the dispute's record. */
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

  /** One result for each of the first four dissenters. Never rejects. */
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

  /** Ends all running comparisons at once. */
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

  /** From the first engine that still has it. */
  async #firstOf(ballots: readonly CastBallot[], run: RunFacts): Promise<Fetched | string> {
    let why = 'no engine that agreed has recorded it';
    for (const ballot of ballots) {
      const fetched = await this.#fetch(ballot, run);
      if (typeof fetched !== 'string') return fetched;
      why = `of those that agreed: ${ballot.engineId}: ${fetched}`;
    }
    return why;
  }

  /** The reason if there is none. */
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
