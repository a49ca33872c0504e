import { describe, expect, it } from '@jest/globals';
import { FrameCutter, FrameType, frame, grpcMessage, hpackInteger, settings } from './wire.ts';

describe('an HPACK integer', () => {
  it.each([
    { value: 10, prefixBits: 5, bytes: [10] },
    { value: 1_337, prefixBits: 5, bytes: [31, 154, 10] },
    { value: 42, prefixBits: 8, bytes: [42] },
  ])('$value is written as in RFC 7541, appendix C.1', ({ value, prefixBits, bytes }) => {
    expect([...hpackInteger(value, prefixBits)]).toEqual(bytes);
  });
});

describe('the frame splitter', () => {
  const sent = Buffer.concat([settings({ 4: 100 }), frame(FrameType.DATA, 1, 3, grpcMessage(Buffer.from('message')))]);

  it('gives the frames of a chunk', () => {
    const frames = [...new FrameCutter().cut(sent)];
    expect(frames.map(({ type, stream, payload }) => [type, stream, payload.length])).toEqual([
      [FrameType.SETTINGS, 0, 6],
      [FrameType.DATA, 3, 12],
    ]);
  });

  it('waits for a frame that arrives in pieces', () => {
    const cutter = new FrameCutter();
    const frames = [...sent].flatMap((byte) => [...cutter.cut(Buffer.from([byte]))]);
    expect(frames.map(({ type }) => type)).toEqual([FrameType.SETTINGS, FrameType.DATA]);
  });
});
