import { describe, expect, it } from '@jest/globals';
import type { FieldValue } from '../../../test/support/nir-writer.ts';
import { dims, matrix, writeHdf5, writeNir } from '../../../test/support/nir-writer.ts';
import { chain, node } from '../../../test/support/run-network.ts';
import { ModelError } from './model-error.ts';
import { readNir } from './nir-reader.ts';

const LIF = { tau: 1, r: 1, v_leak: 0, v_threshold: 1 };

function error(bytes: Uint8Array): string {
  try {
    readNir(bytes);
    return 'no error';
  } catch (thrown) {
    return thrown instanceof ModelError ? thrown.message : `not a ModelError: ${String(thrown)}`;
  }
}

function lifWith(field: string, value: FieldValue | undefined): Uint8Array {
  const { [field]: _, ...rest } = { ...LIF } as Record<string, FieldValue>;
  const fields = value === undefined ? rest : { ...rest, [field]: value };
  return writeNir(chain(1, 1, { n: node('LIF', fields) }));
}

function convWith(field: string, value: FieldValue): Uint8Array {
  const weight = { shape: [1, 1, 3, 3], values: Array<number>(9).fill(1) };
  const one = { ...dims(1), shape: [] };
  const numbers = { stride: one, padding: 'valid', dilation: dims(1, 1), groups: one, bias: [0] };
  return writeNir(chain(1, 1, { n: node('Conv2d', { weight, ...numbers, [field]: value }) }));
}

function withSlash(): Uint8Array {
  return writeHdf5((file) => {
    const graph = file.create_group('node');
    graph.create_dataset({ name: 'type', data: 'NIRGraph', shape: [], dtype: 'S' });
    const one = graph.create_group('nodes').create_group('enc').create_group('lif');
    one.create_dataset({ name: 'type', data: 'LIF', shape: [], dtype: 'S' });
  });
}

describe('readNir', () => {
  it('accepts a file without a version', () => {
    expect(error(writeNir(chain(1, 1, {}), ''))).toBe('no error');
  });

  it('accepts edges that are stored as strings of a fixed length', () => {
    const bytes = writeHdf5((file) => {
      const graph = file.create_group('node');
      graph.create_dataset({ name: 'type', data: 'NIRGraph', shape: [], dtype: 'S' });
      graph.create_dataset({ name: 'edges', data: ['in', 'middle', 'middle', 'out'], shape: [2, 2], dtype: 'S8' });
      const nodes = graph.create_group('nodes');
      for (const [name, type] of [
        ['in', 'Input'],
        ['middle', 'Flatten'],
        ['out', 'Output'],
      ] as const) {
        const one = nodes.create_group(name);
        one.create_dataset({ name: 'type', data: type, shape: [], dtype: 'S' });
        if (type !== 'Flatten') one.create_dataset({ name: 'shape', data: [3], shape: [1], dtype: '<q' });
      }
    });
    expect(readNir(bytes).graph.edges).toEqual([
      ['in', 'middle'],
      ['middle', 'out'],
    ]);
  });

  it('accepts integers that binary32 can represent', () => {
    expect(error(lifWith('v_threshold', dims(1)))).toBe('no error');
    expect(error(lifWith('v_threshold', dims(2 ** 40)))).toBe('no error');
  });

  it.each(['int16', 'int32', 'int64'] as const)('may have its dimensions as %s', (dtype) => {
    const conv = readNir(convWith('padding', { ...dims(3, 300), dtype })).graph.nodes.get('n')!;
    expect(conv.type === 'NIRGraph' || conv.integers.get('padding')).toEqual([3, 300]);
  });

  it.each<[FieldValue, readonly number[]]>([
    ['valid', [0, 0]],
    ['same', [-1, -1]],
    [dims(2, 1), [2, 1]],
    [dims(2), [2, 2]],
  ])('accepts %p as padding', (padding, numbers) => {
    const conv = readNir(convWith('padding', padding)).graph.nodes.get('n')!;
    expect(conv.type === 'NIRGraph' || conv.integers.get('padding')).toEqual(numbers);
  });

  it('returns nodes, edges and parameters, widened to binary64', () => {
    const { graph, nodes, parameters } = readNir(
      writeNir(chain(2, 1, { 'fc.1': node('Linear', { weight: matrix([0.1, 2]) }) })),
    );
    expect(graph.edges).toEqual([
      ['input', 'fc.1'],
      ['fc.1', 'output'],
    ]);
    expect([nodes, parameters]).toEqual([3, 2]);
    const linear = graph.nodes.get('fc.1')!;
    expect(linear.type === 'NIRGraph' || [...linear.parameters.get('weight')!.values]).toEqual([Math.fround(0.1), 2]);
  });

  it('accepts compression, double precision and names in any script', () => {
    const weight = { shape: [1, 2], values: [0.1, 2], dtype: 'float64', gzip: true } as const;
    const { graph } = readNir(writeNir(chain(2, 1, { '神経.1': node('Linear', { weight }) })));
    const linear = graph.nodes.get('神経.1')!;
    expect(linear.type === 'NIRGraph' || [...linear.parameters.get('weight')!.values]).toEqual([0.1, 2]);
  });
});

describe('readNir refuses', () => {
  it.each<[string, Uint8Array, string]>([
    ['an empty file', new Uint8Array(0), 'model.nir: is not an HDF5 file'],
    ['text', Buffer.from('hello'), 'model.nir: is not an HDF5 file'],
    ['an empty HDF5 file', writeHdf5(() => undefined), 'the root graph: field "node": is missing'],
    ['no node', writeHdf5((file) => file.create_dataset({ name: 'version', data: '1' })), 'field "node": is missing'],
    [
      'an unknown type',
      writeNir(chain(1, 1, { n: node('Conv7d') })),
      'node "n": field "type": unknown node type "Conv7d"',
    ],
    ['a missing field', lifWith('tau', undefined), 'node "n": field "tau": is missing'],
    ['a time constant of 0', lifWith('tau', [1, 1, 0]), 'node "n": field "tau": must be > 0, found 0 at index 2'],
    [
      'a negative delay',
      writeNir(chain(1, 1, { n: node('Delay', { delay: [-1] }) })),
      'node "n": field "delay": must be ≥ 0, found -1 at index 0',
    ],
    ['a NaN', lifWith('r', [NaN]), 'node "n": field "r": must be finite, found NaN at index 0'],
    [
      'integers that binary32 cannot represent',
      lifWith('r', dims(16_777_217)),
      'must be numbers that binary32 holds exactly',
    ],
    ['text for numbers', lifWith('r', '1'), 'node "n": field "r": must be float32, float64 or integers'],
    ['an infinite time constant', lifWith('tau', [Infinity]), 'a neuron that never leaks is an IF: export it as one'],
    ['a slash in a name', withSlash(), 'HDF5 makes groups of a node named "enc/lif"; rename the node'],
    ['a negative padding', convWith('padding', dims(-1)), 'field "padding": must be 0 to 1048576, found -1'],
    ['a stride of 0', convWith('stride', dims(0, 1)), 'node "n": field "stride": must be 1 to 1048576, found 0'],
    ['three strides', convWith('stride', dims(1, 1, 1)), 'field "stride": must have 2 numbers, found 3'],
    ['an unknown padding', convWith('padding', 'full'), 'must be "same", "valid" or numbers, found "full"'],
    ['no elements', lifWith('r', { shape: [0], values: [] }), 'node "n": field "r": has no elements'],
    [
      'a weight that is not a matrix',
      writeNir(chain(1, 1, { n: node('Linear', { weight: [1] }) })),
      'node "n": field "weight": must have shape [out, in], found [1]',
    ],
    [
      'a shape with a 0',
      writeNir({ type: 'NIRGraph', nodes: { input: node('Input', { shape: dims(0) }) }, edges: [] }),
      'node "input": field "shape": must be 1 to 1048576, found 0',
    ],
    [
      'a shape of floats',
      writeNir({ type: 'NIRGraph', nodes: { input: node('Input', { shape: [1] }) }, edges: [] }),
      'node "input": field "shape": must be integers',
    ],
  ])('%s', (_, bytes, message) => {
    expect(error(bytes)).toContain(message);
  });

  it('more nodes than the limit', () => {
    const names = Array.from({ length: 4096 }, (_, n) => `n${n}`);
    expect(
      error(
        writeNir(
          chain(1, 1, Object.fromEntries(names.map((name) => [name, node('Flatten', { input_type: dims(1) })]))),
        ),
      ),
    ).toContain('more nodes than the limit of 4096');
  });

  it('more edges than the limit in all its graphs together', () => {
    const edges = Array<[string, string]>(33_000).fill(['input', 'output']);
    const inner = { ...chain(1, 1, {}), edges };
    expect(error(writeNir(chain(1, 1, { a: inner })))).toBe('no error');
    expect(error(writeNir(chain(1, 1, { a: inner, b: inner })))).toMatch(
      /field "edges": has shape \[33000, 2\], more than/,
    );
  });

  it('a dataset larger than memory, before it allocates any', () => {
    const huge = writeHdf5((file) => {
      file.create_dataset({ name: 'version', data: '1' });
      const graph = file.create_group('node');
      graph.create_dataset({ name: 'type', data: 'NIRGraph', shape: [], dtype: 'S' });
      const one = graph.create_group('nodes').create_group('n');
      one.create_dataset({ name: 'type', data: 'Scale', shape: [], dtype: 'S' });
      const chunks = { chunks: [1], maxshape: [null] };
      one.create_dataset({ name: 'scale', data: Float32Array.of(1), shape: [1], ...chunks }).resize([2 ** 48]);
    });
    expect(error(huge)).toContain('node "n": field "scale": has shape [281474976710656]');
  });

  it.each<[string, string]>([
    ['soft', '/node'],
    ['cyclic', '/node/nodes/n'],
  ])('a %s link in place of a node', (_, target) => {
    const linked = writeHdf5((file) => {
      file.create_dataset({ name: 'version', data: '1' });
      const graph = file.create_group('node');
      graph.create_dataset({ name: 'type', data: 'NIRGraph', shape: [], dtype: 'S' });
      graph.create_group('nodes').create_soft_link(target, 'n');
    });
    expect(error(linked)).toContain('node "n": field "type": must be a group, found a link');
  });

  it('an external link', () => {
    const linked = writeHdf5((file) => {
      file.create_dataset({ name: 'version', data: '1' });
      file.create_external_link('/etc/passwd', '/node', 'node');
    });
    expect(error(linked)).toBe('the root graph: field "node": must be a group, found a link');
  });

  it('a group that contains itself', () => {
    const cyclic = writeHdf5((file) => {
      file.create_dataset({ name: 'version', data: '1' });
      const graph = file.create_group('node');
      graph.create_dataset({ name: 'type', data: 'NIRGraph', shape: [], dtype: 'S' });
      graph.create_group('nodes').create_hard_link('/node', 'again');
    });
    expect(error(cyclic)).toContain('nested deeper than the limit of 16');
  });

  it('a name that is too long', () => {
    const named = (bytes: number): Uint8Array => writeNir(chain(1, 1, { ['n'.repeat(bytes)]: node('LIF', LIF) }));
    expect(error(named(1024))).toBe('no error');
    expect(error(named(1025))).toContain('field "name": has 1025 bytes, above the limit of 1024');
  });

  it('a truncated file', () => {
    const whole = writeNir(chain(2, 1, { n: node('Linear', { weight: matrix([1, 2]) }) }));
    const outcomes = Array.from({ length: 60 }, (_, n) => error(whole.slice(0, Math.floor((n * whole.length) / 60))));
    expect(outcomes.filter((message) => !message.startsWith('model.nir: '))).toEqual([]);
  });
});
