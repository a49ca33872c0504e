import { describe, expect, it } from '@jest/globals';
import type { Answer } from './answer.ts';
import type { RoutedRequest } from './routed-request.ts';
import { type Stage, chain, stageOf } from './stage.ts';

const REQUEST = {} as unknown as RoutedRequest;
const ANSWER = {} as Answer;

describe('chain', () => {
  it('runs the stages in order, and returns the answer of the last one', () => {
    const log: unknown[] = [];
    const last: Stage = (request) => {
      log.push(['last', request]);
      return ANSWER;
    };
    const path = chain([
      stageOf((request) => void log.push(['first', request])),
      (request, next) => next(request),
      last,
    ]);
    expect(path(REQUEST)).toBe(ANSWER);
    expect(log).toEqual([
      ['first', REQUEST],
      ['last', REQUEST],
    ]);
  });

  it('ends at a stage that throws', () => {
    const path = chain([
      stageOf(() => {
        throw new Error('refused');
      }),
      () => ANSWER,
    ]);
    expect(() => path(REQUEST)).toThrow('refused');
  });

  it('throws if the last stage passes the request on', () => {
    expect(() => chain([(request, next) => next(request)])(REQUEST)).toThrow('the last stage handed the request on');
  });
});
