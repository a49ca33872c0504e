import { expect, test } from '@jest/globals';
import { frame } from '../../test/support/http2-peer.ts';
import { FrameReader, type FrameSink } from './frame-reader.ts';

class Sink implements FrameSink {
  mustWait = false;
  isClosed = false;
  readonly frames: string[] = [];
  onFrame(type: number, flags: number, id: number, buffer: Buffer, start: number, end: number): void {
    this.frames.push(`${type} ${flags} ${id} ${buffer.toString('latin1', start, end)}`);
    if (type === 99) this.isClosed = true;
  }
}

const BYTES = Buffer.concat([
  frame('DATA', 1, 1, Buffer.from('hello')),
  frame('PING', 0, 0, []),
  frame('DATA', 0, 0x7fff_ffff, Buffer.alloc(16_384, 'x')),
  frame('SETTINGS', 0, 0, Buffer.from('end')),
]);
const FRAMES = ['0 1 1 hello', '6 0 0 ', `0 0 2147483647 ${'x'.repeat(16_384)}`, '4 0 0 end'];

test('frames in one chunk are read', () => {
  const sink = new Sink();
  new FrameReader(sink).read(BYTES);
  expect(sink.frames).toEqual(FRAMES);
});

test('frames are read however the chunks are split', () => {
  for (const size of [1, 2, 7, 9, 10, 100, 4_096, 16_390]) {
    const sink = new Sink();
    const reader = new FrameReader(sink);
    for (let at = 0; at < BYTES.length; at += size) reader.read(Buffer.from(BYTES.subarray(at, at + size)));
    expect(sink.frames).toEqual(FRAMES);
  }
});

test('the reserved bit of the stream id is ignored', () => {
  const sink = new Sink();
  new FrameReader(sink).read(frame('DATA', 0, 0x8000_0001));
  expect(sink.frames).toEqual(['0 0 1 ']);
});

test('a frame that is too large is refused as soon as its header has arrived', () => {
  const header = frame('DATA', 0, 1, Buffer.alloc(16_385)).subarray(0, 9);
  expect(() => new FrameReader(new Sink()).read(header)).toThrow('a frame has 16385 bytes; at most 16384 are allowed');
  const reader = new FrameReader(new Sink());
  reader.read(header.subarray(0, 4));
  expect(() => reader.read(header.subarray(4))).toThrow('a frame has 16385 bytes');
});

test('nothing is read after the sink is closed', () => {
  const sink = new Sink();
  new FrameReader(sink).read(Buffer.concat([frame(99, 0, 0), frame('PING', 0, 0)]));
  expect(sink.frames).toEqual(['99 0 0 ']);
});

test('a sink that must wait gets each frame once, in parts', () => {
  const sink = new Sink();
  sink.mustWait = true;
  const reader = new FrameReader(sink);
  const chunk = Buffer.concat(Array.from({ length: 20 }, (_, k) => frame('PING', 0, k, Buffer.alloc(8, 'p'))));
  const counts: number[] = [];
  for (let at = 0; at < chunk.length;) {
    at = reader.read(chunk, at);
    counts.push(sink.frames.length);
  }
  expect(counts).toEqual([8, 16, 20]);
  expect(new Set(sink.frames).size).toBe(20);
});
