import { describe, expect, it } from '@jest/globals';
import { parseManifest } from '../../config/manifest.ts';
import { xxh64 } from '../xxh64.ts';
import { ReadoutDigest, StateDigest, TraceDigest, modelId } from './digest.ts';

describe('digests', () => {
  it('include every setting of a model except its steps', () => {
    const file = Buffer.from('file');
    const texts = [
      'dt: 1\nsteps: 1',
      'dt: 2\nsteps: 1',
      'dt: 1\nsteps: 1\nreset: subtract',
      'dt: 1\nsteps: 1\nif_gain: unit',
      'dt: 1\ninput: {kind: series}',
      'dt: 1\nsteps: 1\nreadout: {from: last_potential}',
      'dt: 1\nsteps: 1\nreadout: {node: other}',
    ];
    const ids = texts.map((text) => modelId(file, parseManifest(text), 'output'));
    expect(new Set(ids).size).toBe(texts.length);
    // Steps are part of the digest of a run instead.
    expect(modelId(file, parseManifest('dt: 1\nsteps: 9'), 'output')).toBe(ids[0]);
  });

  it('of a state contain model id, steps and arrays in little-endian order', () => {
    const digest = new StateDigest(0x0102030405060708n, [Uint32Array.of(1), Float32Array.of(1)]);
    const bytes = Buffer.from('0807060504030201' + '05000000' + '01000000' + '0000803f', 'hex');
    expect(digest.compute(5)).toBe(xxh64(bytes));
  });

  it('of a readout contain steps, counts, potentials and both totals', () => {
    const digest = new ReadoutDigest(Uint32Array.of(2), Float32Array.of(1));
    const bytes = Buffer.from('05000000' + '02000000' + '0000803f' + '0300000000000000' + '0000000001000000', 'hex');
    expect(digest.compute(5, 3, 2 ** 32)).toBe(xxh64(bytes));
  });

  it('of a trace contain the arrays one after the other', () => {
    const digest = new TraceDigest(2);
    expect(digest.compute([Float32Array.of(), Float32Array.of(1), Float32Array.of(0)])).toBe(
      xxh64(Buffer.from('0000803f' + '00000000', 'hex')),
    );
  });
});
