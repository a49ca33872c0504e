import { describe, expect, it } from '@jest/globals';
import { ModelInferRequest } from '../../generated/inference/grpc_service.ts';
import { rawOf } from './output.ts';
import { readTexts } from './texts.ts';

type Input = ModelInferRequest['inputs'][number];

function input(shape: number[], texts: (string | Uint8Array)[] = []): Input {
  const contents = { bytesContents: texts.map((text) => Buffer.from(text)) };
  return ModelInferRequest.fromPartial({
    inputs: [{ name: 'text', datatype: 'BYTES', shape: shape.map(BigInt), contents }],
  }).inputs[0]!;
}

describe('readTexts', () => {
  it.each([
    [[1], ['a cat'], false],
    [[1, 1], ['a cat'], true],
    [[2, 1], ['a cat', 'ein Hündchen'], true],
    [[2, 1], ['', ''], true],
  ])('reads shape %j from contents and from raw bytes', (shape, texts, isBatch) => {
    expect(readTexts(input(shape, texts), undefined, 8)).toEqual({ isBatch, texts });
    expect(readTexts(input(shape), rawOf('BYTES', texts), 8)).toEqual({ isBatch, texts });
  });

  it.each([
    [[], ['a'], /shape \[\] does not fit texts; send \[1\] or \[batch, 1\]/],
    [[2], ['a', 'b'], /shape \[2\] does not fit/],
    [[0, 1], [], /shape \[0, 1\] does not fit/],
    [[9, 1], [], /a batch of 9 is more than 8/],
    [[2, 1], ['a'], /is 2 texts, and there are 1/],
    [[1], [Uint8Array.of(0xff)], /text 0 is not UTF-8/],
  ])('refuses invalid texts: shape %j', (shape, texts, message) => {
    expect(() => readTexts(input(shape, texts), undefined, 8)).toThrow(message);
  });

  it.each([
    ['an incomplete length', Buffer.of(1, 0), /text 0 ends after the 2 bytes/],
    ['a length beyond the end', Buffer.of(9, 0, 0, 0, 65), /text 0 ends after the 5 bytes/],
    ['a huge length', Buffer.of(255, 255, 255, 255, 65), /text 0 ends after the 5 bytes/],
    ['more than the shape says', Buffer.of(1, 0, 0, 0, 65, 66), /there are 1 bytes after 1 texts/],
    ['no text', Buffer.alloc(0), /is 1 texts, and there are 0/],
  ])('refuses raw bytes with %s', (_name, raw, message) => {
    expect(() => readTexts(input([1]), raw, 8)).toThrow(message);
  });
});
