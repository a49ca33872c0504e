// Both engines refuse the same files and requests: their limits are the same numbers.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import * as limits from '../../services/engines/local/limits.ts';

const SIDECAR = join(import.meta.dirname, '../../sidecar-cpp');
const HEADERS = ['nir/graph.h', 'engine/manifest.h', 'engine/network.h'];
const CONSTANT = /constexpr std::\w+ k(Max\w+) = (?:std::\w+\{)?(\d+)\}?(?: << (\d+))?;/g;

/** Names in C++ that differ. */
const SIDECAR_NAMES: Readonly<Record<string, string>> = { MAX_GRAPH_ELEMENTS: 'MaxStateElements' };

const texts = HEADERS.map((name) => readFileSync(join(SIDECAR, name), 'utf8')).join('\n');
const inSidecar = new Map(
  [...texts.matchAll(CONSTANT)].map(([, name, digits, shift = '0']) => [name, Number(digits) * 2 ** Number(shift)]),
);

function sidecarName(name: string): string {
  const words = name.toLowerCase().split('_');
  return SIDECAR_NAMES[name] ?? words.map((word) => word[0]!.toUpperCase() + word.slice(1)).join('');
}

describe('the limit', () => {
  it.each(Object.entries(limits))('%s is %d in the C++ engine, too', (name, value) => {
    expect(inSidecar.get(sidecarName(name))).toBe(value);
  });
});
