import { describe, expect, it } from '@jest/globals';
import { RouterError } from '../core/errors.ts';
import { dtypeOf } from './dtype.ts';

function converted(dtype: string, data: Uint8Array): number[] {
  const bytes = dtypeOf(dtype).toFloats(data);
  return [...new Float32Array(new Uint8Array(bytes).buffer)];
}

describe('dtypeOf', () => {
  it('converts every FP16 value exactly', () => {
    const all = Uint16Array.from({ length: 65_536 }, (_, half) => half);
    const floats = converted('FP16', new Uint8Array(all.buffer));
    const view = new DataView(all.buffer) as DataView & { getFloat16(at: number, isLittle: boolean): number };
    const expected = floats.map((_, half) => view.getFloat16(2 * half, true));
    expect(floats.every((value, half) => Object.is(value, expected[half]))).toBe(true);
  });

  it('converts FP16 at any alignment', () => {
    const bytes = Uint8Array.of(9, 0x00, 0x3c, 0x00, 0xc0).subarray(1);
    expect(converted('FP16', bytes)).toEqual([1, -2]);
  });

  it('converts INT8, UINT8 and BOOL exactly', () => {
    const bytes = Uint8Array.of(7, 0, 1, 127, 128, 255).subarray(1);
    expect(converted('INT8', bytes)).toEqual([0, 1, 127, -128, -1]);
    expect(converted('UINT8', bytes)).toEqual([0, 1, 127, 128, 255]);
    expect(converted('BOOL', bytes.subarray(0, 2))).toEqual([0, 1]);
  });

  it('passes FP32 on unchanged', () => {
    const bytes = Buffer.alloc(8, 1);
    expect([dtypeOf('').toFloats(bytes), dtypeOf('FP32').toFloats(bytes)]).toEqual([bytes, bytes]);
  });

  it('refuses a BOOL that is neither 0 nor 1, with its index', () => {
    const refused = (): unknown => dtypeOf('BOOL').toFloats(Uint8Array.of(0, 1, 2));
    expect(refused).toThrow(RouterError);
    expect(refused).toThrow('element 2 is 2; a BOOL is 0 or 1');
  });

  it('refuses another type and lists the known ones', () => {
    expect(() => dtypeOf('FP64')).toThrow('send one of FP32, FP16, INT8, UINT8, BOOL');
  });
});
