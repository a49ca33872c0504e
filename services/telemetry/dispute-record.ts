// A dispute as one line of JSON, with everything needed to analyse it later.
import xxhash from 'xxhash-wasm';
import { hex64 } from '../core/hex.ts';

export interface DisputeBallot {
  readonly engineId: string;
  readonly build: string;
  /** Undefined: absent. */
  readonly stateDigest: bigint | undefined;
  readonly readoutDigest: bigint | undefined;
  readonly outcome: string;
  /** Why it is absent; else empty. */
  readonly why: string;
  readonly durationMs: number;
}

/** The first difference of an engine, from the recordings of the run. Undefined: none was found. */
export interface DisputeDifference {
  readonly engine: string;
  /** Empty: no comparison was possible. */
  readonly reference: string;
  readonly state: { readonly step: number; readonly node: string } | undefined;
  readonly spike: { readonly step: number; readonly node: string; readonly neuron: number } | undefined;
  /** In a sentence. */
  readonly text: string;
}

export interface Dispute {
  /** Empty if unknown. */
  readonly requestId: string;
  /** Empty if the request was not traced. */
  readonly traceId: string;
  readonly model: string;
  readonly version: number;
  readonly modelId: bigint;
  readonly strategy: string;
  readonly shape: readonly number[];
  /** Little-endian binary32. */
  readonly data: Uint8Array;
  /** The initial state, for a message of a session. Empty: step 0. */
  readonly state: Uint8Array;
  /** The verdict. Examples: "MAJORITY", "DISPUTED". */
  readonly verdict: string;
  readonly ballots: readonly DisputeBallot[];
  readonly differences: readonly DisputeDifference[];
}

export type InputForm = 'included' | 'hashed';

const { h64Raw } = await xxhash();

/** Ends with a line end. `tandem replay` reads it (services/cli/replay-records.ts). */
export function toLine(dispute: Dispute, timeMs: number, input: InputForm): string {
  const { requestId, traceId, model, version, modelId, strategy, shape, data, state, verdict, ballots } = dispute;
  const isIncluded = input === 'included';
  const given = isIncluded ? { input_f32_base64: base64(data) } : { input_xxh64: hex64(h64Raw(data)) };
  const begun = isIncluded ? { state_base64: base64(state) } : { state_xxh64: hex64(h64Raw(state)) };
  const record = {
    time: new Date(timeMs).toISOString(),
    request_id: requestId,
    ...(traceId === '' ? {} : { trace_id: traceId }),
    model,
    model_version: version,
    model_id: hex64(modelId),
    strategy,
    verdict,
    shape,
    ...given,
    ...(state.length === 0 ? {} : begun),
    ballots: ballots.map((ballot) => ({
      engine: ballot.engineId,
      build: ballot.build,
      state_digest: ballot.stateDigest === undefined ? '' : hex64(ballot.stateDigest),
      readout_digest: ballot.readoutDigest === undefined ? '' : hex64(ballot.readoutDigest),
      outcome: ballot.outcome,
      why: ballot.why,
      duration_ms: ballot.durationMs,
    })),
    differences: dispute.differences.map(toDifference),
  };
  return `${JSON.stringify(record)}\n`;
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}

/** Undefined keys are left out. */
function toDifference({ engine, reference, state, spike, text }: DisputeDifference): object {
  return {
    ...{ engine, reference },
    ...{ state_step: state?.step, state_node: state?.node },
    ...{ spike_step: spike?.step, spike_node: spike?.node, spike_neuron: spike?.neuron },
    text,
  };
}
