// False recordings of a programmable engine (proto/NUMERICS.md, "Recording"), as data: no run has them.
import { GetRecordingResponse, type RecordedNode } from '../../services/generated/tandem/engine/v1/engine.ts';

interface RecordingLie {
  readonly name: string;
  /** Undefined: it never answers. */
  readonly recording: () => GetRecordingResponse | undefined;
}

const MOST_UINT32 = 2 ** 32 - 1;
const STEPS = 16;

/** The recording of the shipped model's first spiking node, except for `over`. */
function node(over: Partial<RecordedNode> = {}): RecordedNode {
  const checksums = Array.from({ length: STEPS }, () => 1);
  return { node: 'hidden', elements: 384, spikes: new Uint8Array(STEPS * 48), stateChecksums: checksums, ...over };
}

function recording(over: Partial<GetRecordingResponse>): () => GetRecordingResponse {
  return () =>
    GetRecordingResponse.fromPartial({ model: 'supersense', modelVersion: 1, steps: STEPS, nodes: [node()], ...over });
}

export const RECORDING_LIES: readonly RecordingLie[] = [
  { name: 'nothing', recording: () => GetRecordingResponse.create() },
  { name: 'silence', recording: () => undefined },
  { name: 'no nodes', recording: recording({ nodes: [] }) },
  {
    name: '5,000 nodes',
    recording: recording({ nodes: Array.from({ length: 5_000 }, () => node({ spikes: new Uint8Array(0) })) }),
  },
  { name: 'steps 2^32-1', recording: recording({ steps: MOST_UINT32 }) },
  { name: 'steps 0', recording: recording({ steps: 0 }) },
  { name: 'elements 2^32-1', recording: recording({ nodes: [node({ elements: MOST_UINT32 })] }) },
  { name: 'elements 0', recording: recording({ nodes: [node({ elements: 0 })] }) },
  { name: 'a byte of spikes', recording: recording({ nodes: [node({ spikes: Uint8Array.of(255) })] }) },
  { name: 'no checksums', recording: recording({ nodes: [node({ stateChecksums: [] })] }) },
  { name: 'a node without a name', recording: recording({ nodes: [node({ node: '' })] }) },
  { name: 'a node with a name of 1 MB', recording: recording({ nodes: [node({ node: 'n'.repeat(1_048_576) })] }) },
  { name: 'an end that is no reason', recording: recording({ ended: '\u001b[2J\n'.repeat(1_000) }) },
];
