// Fingerprints: of a model with its run settings, and of a run.
import xxhash from 'xxhash-wasm';
import type { Manifest } from '../../config/manifest.ts';

const CHUNK = 1024 * 1024;

const { create64, h64Raw } = await xxhash();

/** XXH64, seed 0. */
export function xxh64(bytes: Uint8Array): bigint {
  if (bytes.length <= CHUNK) return h64Raw(bytes);
  // In pieces, because the hash's memory grows to the largest piece and never shrinks.
  const hash = create64();
  for (let at = 0; at < bytes.length; at += CHUNK) hash.update(bytes.subarray(at, at + CHUNK));
  return hash.digest();
}

/** Identity of weights and run settings; `rootOutput` stands in where the manifest names no readout node. */
export function modelId(file: Uint8Array, manifest: Manifest, rootOutput: string): bigint {
  const { dt, reset, if_gain, input, readout } = manifest;
  const node = Buffer.from(readout.node ?? rootOutput);
  const bytes = Buffer.alloc(20 + node.length);
  bytes.writeBigUInt64LE(xxh64(file), 0);
  bytes.writeDoubleLE(dt, 8);
  bytes[16] = ['value', 'subtract'].indexOf(reset);
  bytes[17] = ['dt', 'unit'].indexOf(if_gain);
  bytes[18] = ['constant', 'series'].indexOf(input.kind);
  bytes[19] = ['spike_count', 'mean_potential', 'last_potential'].indexOf(readout.from);
  node.copy(bytes, 20);
  return xxh64(bytes);
}

/** `state_digest`: what a run answered and the state it ended in. The arrays are laid out once for each network. */
export class StateDigest {
  private readonly bytes: Uint8Array;
  private readonly parts: readonly (Uint32Array | Float32Array)[];

  constructor(modelId: bigint, parts: readonly (Uint32Array | Float32Array)[]) {
    this.parts = parts;
    this.bytes = new Uint8Array(12 + parts.reduce((sum, part) => sum + part.byteLength, 0));
    new DataView(this.bytes.buffer).setBigUint64(0, modelId, true);
  }

  /** Of the arrays' present content. Typed arrays are little-endian wherever Node.js runs. */
  compute(steps: number): bigint {
    new DataView(this.bytes.buffer).setUint32(8, steps, true);
    let at = 12;
    for (const part of this.parts) {
      this.bytes.set(new Uint8Array(part.buffer, part.byteOffset, part.byteLength), at);
      at += part.byteLength;
    }
    return xxh64(this.bytes);
  }
}
