// The numbers that a user enters on the page; the browser reads them.
import { describe, expect, it } from '@jest/globals';

interface Tensor {
  readonly shape: number[];
  readonly values: number[];
}
interface Numbers {
  parseNumbers(text: string): Tensor;
  readNumbers(file: File): Promise<Tensor>;
  toJson(tensor: Tensor): { shape: number[]; dtype: string; data: string };
}
const { parseNumbers, readNumbers, toJson } = (await import(
  new URL('assets/numbers.js', import.meta.url).href
)) as Numbers;

function npy(descr: string, shape: string, data: ArrayBufferView, fortran = 'False'): Buffer {
  const header = Buffer.from(`{'descr': '${descr}', 'fortran_order': ${fortran}, 'shape': ${shape}, }`);
  const start = Buffer.from('\x93NUMPY\x01\x00\x00\x00', 'latin1');
  start.writeUInt16LE(header.length, 8);
  return Buffer.concat([start, header, Buffer.from(data.buffer)]);
}

const file = (name: string, content: string | Buffer): File =>
  new File([typeof content === 'string' ? content : new Uint8Array(content)], name);

describe('parseNumbers', () => {
  it.each([
    ['0.1, 0.2 0.3\n4', [4], [0.1, 0.2, 0.3, 4]],
    ['[1, 2, 3]', [3], [1, 2, 3]],
    ['[[1, 2], [3, 4], [5, 6]]', [3, 2], [1, 2, 3, 4, 5, 6]],
    ['-1e-3', [1], [-0.001]],
  ])('reads %j', (text, shape, values) => {
    expect(parseNumbers(text)).toEqual({ shape, values });
  });

  it.each([
    ['', /no numbers yet/],
    ['1, two', /“two” is not a number/],
    ['1, Infinity', /“Infinity” is not a number/],
    ['[1, "x"]', /“x” is not a number/],
    ['[1, null]', /“null” is not a number/],
    ['[[1, 2], [3]]', /different lengths/],
    ['[1, [2]]', /is not a number|different lengths/],
    ['[1, 2', /not a JSON list/],
  ])('refuses %j with the error', (text, message) => {
    expect(() => parseNumbers(text)).toThrow(message);
  });

  it('are sent as little-endian float32', () => {
    const { shape, dtype, data } = toJson({ shape: [2], values: [1, -2.5] });
    expect([shape, dtype, [...new Float32Array(new Uint8Array(Buffer.from(data, 'base64')).buffer)]]).toEqual([
      [2],
      'FP32',
      [1, -2.5],
    ]);
  });
});

describe('readNumbers', () => {
  it.each([
    ['a.csv', '1,2\n3,4\n', [2, 2], [1, 2, 3, 4]],
    ['row.csv', '1,2', [2], [1, 2]],
    ['a.json', '[5]', [1], [5]],
    ['a.f32', Buffer.from(Float32Array.of(1, 2).buffer), [2], [1, 2]],
    ['a.npy', npy('<f4', '(2, 1)', Float32Array.of(1, 2)), [2, 1], [1, 2]],
    ['b.npy', npy('<f8', '(2,)', Float64Array.of(1, 2)), [2], [1, 2]],
    ['c.npy', npy('|u1', '(3,)', Uint8Array.of(1, 0, 255)), [3], [1, 0, 255]],
  ])('reads %s', async (name, content, shape, values) => {
    const read = await readNumbers(file(name, content));
    expect([read.shape, [...read.values]]).toEqual([shape, values]);
  });

  it.each([
    ['a.f32', Buffer.alloc(5), /4 bytes per number/],
    ['a.npy', Buffer.from('hello world, hello'), /not a NumPy file/],
    ['a.npy', npy('<f4', '(9,)', Float32Array.of(1)), /too large, or ends too early/],
    ['a.npy', npy('<c8', '(1,)', Float32Array.of(1, 2)), /cannot read this NumPy file/],
    ['a.npy', npy('<f4', '(1,)', Float32Array.of(1), 'True'), /cannot read this NumPy file/],
    ['a.npy', npy('<f4', '(9999999999,)', Float32Array.of(1)), /too large/],
    ['a.csv', 'x,y\n1,2', /“x” is not a number/],
  ])('refuses %s with the error', async (name, content, message) => {
    await expect(readNumbers(file(name, content))).rejects.toThrow(message);
  });
});
