import xxhash from 'xxhash-wasm';

const CHUNK = 1024 * 1024;

const { create64, h64Raw } = await xxhash();

export function xxh64(bytes: Uint8Array, seed = 0n): bigint {
  if (bytes.length <= CHUNK) return h64Raw(bytes, seed);
  // Hashed in pieces, because the library's memory grows to the largest piece and never shrinks.
  const hash = create64(seed);
  for (let at = 0; at < bytes.length; at += CHUNK) hash.update(bytes.subarray(at, at + CHUNK));
  return hash.digest();
}
