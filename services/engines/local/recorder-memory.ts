// How much memory a recording takes.
import type { Network } from './network.ts';
import { RECORD_SLACK_BYTES } from './record-kernel.ts';

/** Words of a step that one node takes. */
export function wordsOf(elements: number, spikes: boolean): number {
  return 1 + (spikes ? Math.ceil(elements / 32) : 0);
}

/** What a RunRecorder takes of its simulator's arena, at most. */
export function recorderArenaBytes({ nodes }: Network): number {
  const words = nodes.reduce((sum, { outputSize }) => sum + wordsOf(outputSize, true), 0);
  return 4 * words + 2 * RECORD_SLACK_BYTES;
}
