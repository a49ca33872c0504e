// Memory of a recording.
import type { Network } from './network.ts';
import { RECORD_SLACK_BYTES } from './record-kernel.ts';

/** Words of one node in each step. */
export function wordsOf(elements: number, spikes: boolean): number {
  return 1 + (spikes ? Math.ceil(elements / 32) : 0);
}

/** Maximum arena memory of a RunRecorder. */
export function recorderArenaBytes({ nodes }: Network): number {
  const words = nodes.reduce((sum, { outputSize }) => sum + wordsOf(outputSize, true), 0);
  return 4 * words + 2 * RECORD_SLACK_BYTES;
}
