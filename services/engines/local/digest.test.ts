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

  it('of a model have the bytes of its file and settings, in this order', () => {
    const hash = (bytes: Uint8Array): string => {
      const hex = Buffer.alloc(8);
      hex.writeBigUInt64LE(xxh64(bytes));
      return hex.toString('hex');
    };
    const file = Buffer.from('file');
    const double = (value: number): string => Buffer.from(Float64Array.of(value).buffer).toString('hex');
    const text = (name: string): string => Buffer.from(name).toString('hex');
    const idOf = (settings: string): bigint => modelId(file, parseManifest(`dt: 0.5\n${settings}`), 'out');
    const plain = hash(file) + double(0.5);
    const cases: readonly (readonly [string, string])[] = [
      ['steps: 1', `00000000${text('out')}`],
      ['reset: subtract\nif_gain: unit\nsteps: 1', `01010000${text('out')}`],
      ['reset: subtract_delayed\ninput: {kind: series}', `02000100${text('out')}`],
      ['reset: value_delayed\nreadout: {node: n, from: last_potential}', `03000002${text('n')}`],
      ['decay: exponential', `00000000${text('out')}00010000000000`],
      ['lif_gain: unit\nsynapse_gain: decayed', `00000000${text('out')}00000102000000`],
      ['lif_gain: decayed\nsynapse_gain: unit', `00000000${text('out')}00000201000000`],
      ['reset: subtract\nspikes_per_step: multiple', `01000000${text('out')}00000000010000`],
      ['fire_at: reached\nemit: next_step', `00000000${text('out')}00000000000101`],
      ['v_start: leak', `00000000${text('out')}00000000000000` + `01${double(-Infinity)}`],
      ['reset: none\nv_start: reset\nv_min: -1', `04000000${text('out')}00000000000000` + `02${double(-1)}`],
      [
        'nodes: {b: {reset: none, v_min: 2}, a: {decay: exponential, if_gain: unit}}',
        `00000000${text('out')}00000000000000` +
          `00${double(-Infinity)}` +
          `${text('a')}000001010000000000` +
          `00${double(-Infinity)}` +
          `${text('b')}000400000000000000` +
          `00${double(2)}`,
      ],
    ];
    for (const [settings, rest] of cases) {
      expect([settings, idOf(settings)]).toEqual([settings, xxh64(Buffer.from(plain + rest, 'hex'))]);
    }
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
