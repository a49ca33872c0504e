// Compares the recordings of one run on both engines, bit for bit.
import type { Engine, Recording } from '../../services/engines/engine.ts';

/** A recording as text; equal texts mean equal recordings. A run without a recording is a difference. */
export async function recordingText(engine: Engine, id: bigint): Promise<string> {
  if (id === 0n) return `not recorded by ${engine.id}`;
  const context = { deadlineMs: Infinity, signal: new AbortController().signal };
  return toText(await engine.recording(id, context));
}

function toText({ steps, nodes, ended }: Recording): string {
  const texts = nodes.map(({ node, elements, spikes, stateChecksums }) => {
    return `${node} of ${elements}: spikes ${Buffer.from(spikes).toString('hex')}, checksums ${stateChecksums.join(' ')}`;
  });
  return `${steps} steps, ended "${ended}": ${texts.join('; ')}`;
}
