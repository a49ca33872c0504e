import { describe, expect, it } from '@jest/globals';
import type { ReasonRequest } from '../generated/tandem/v1/reasoning.ts';
import { CacheMode, Strategy } from '../generated/tandem/v1/types.ts';
import { readItem, readItems } from './items.ts';
import { emptyRequest } from './request-options.ts';

const base = emptyRequest({ model: 'usual' });

function requestOf(text: string, number = 7) {
  const item = readItem({ number, text }, base);
  if (!('request' in item)) throw new Error('it is no request');
  const { tensor, ...rest } = item.request;
  const numbers = Array.from({ length: tensor!.data.length / 4 }, (_, k) =>
    Buffer.from(tensor!.data).readFloatLE(k * 4),
  );
  return { ...rest, shape: tensor!.shape, numbers };
}

describe('readItem', () => {
  it.each([
    ['a list', '[1, 2.5]', [2], [1, 2.5]],
    ['words', '1 2.5', [2], [1, 2.5]],
    ['a time series', '[[1, 2], [3, 4], [5, 6]]', [3, 2], [1, 2, 3, 4, 5, 6]],
    ['an object', '{"encoding": [1, 2.5]}', [2], [1, 2.5]],
    ['an object with a time series', '{"encoding": [[1], [2]]}', [2, 1], [1, 2]],
  ])('accepts %s', (_, text, shape, numbers) => {
    expect(requestOf(text)).toMatchObject({ requestId: '7', model: 'usual', shape, numbers });
  });

  it('accepts a text', () => {
    const item = readItem({ number: 7, text: '{"text": "a dog", "model": "mine"}' }, base) as {
      request: ReasonRequest;
    };
    expect(item.request).toMatchObject({ model: 'mine', text: 'a dog', tensor: undefined });
  });

  it('prefers the fields of the line to the options', () => {
    const text = '{"id":"a","model":"mine","model_version":2,"strategy":"FASTEST","cache":"bypass","encoding":[1]}';
    expect(requestOf(text)).toMatchObject({
      requestId: 'a',
      model: 'mine',
      modelVersion: 2,
      strategy: Strategy.STRATEGY_FASTEST,
      cache: CacheMode.CACHE_MODE_BYPASS,
    });
  });

  it.each([
    ['one two', '"one" is not a number'],
    ['[1,', 'is not JSON'],
    ['{"id": }', 'it is not JSON'],
    [
      '{"ecoding": [1]}',
      '"ecoding" is not known; there are: id, model, model_version, encoding, text, strategy, cache',
    ],
    ['{"id": "a"}', 'give one of "encoding", a list of numbers, or of lists, and "text"'],
    ['{"encoding": [1], "text": "a"}', 'give one of "encoding"'],
    ['{"encoding": [1], "strategy": "LUCK"}', '"strategy": '],
    ['{"encoding": ["1"]}', 'element 0 is not a number'],
    ['[[1], [1, 2]]', 'row 1 has a different length'],
  ])('answers an unreadable line with the error: %s', (text, problem) => {
    expect(readItem({ number: 3, text }, base)).toMatchObject({
      answer: {
        requestId: '3',
        outcome: { $case: 'error', value: { reason: 'LINE_UNREADABLE', message: expect.stringContaining(problem) } },
      },
    });
  });

  it('counts blank lines but skips them', async () => {
    const lines = (async function* () {
      yield { number: 1, text: '[1]' };
      yield { number: 2, text: ' \r' };
      yield { number: 3, text: '[2]\r' };
    })();
    const ids: string[] = [];
    for await (const item of readItems(lines, base)) if ('request' in item) ids.push(item.request.requestId);
    expect(ids).toEqual(['1', '3']);
  });
});
