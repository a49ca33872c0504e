import { describe, expect, it } from '@jest/globals';
import { buildWhole, context, engine, version } from '../../../test/fakes/router-parts.ts';
import { RouterError } from '../../core/errors.ts';
import type { Answer } from '../answer.ts';
import type { RoutedRequest } from '../routed-request.ts';
import { admit, freeOf } from './admit.ts';

const ANSWER = {} as Answer;

/** A request, and what the admission is told about it. `turn`: what `enter` returns. */
function requestWith(turn: Promise<void> | undefined): { readonly request: RoutedRequest; readonly log: unknown[] } {
  const log: unknown[] = [];
  const admission = {
    enter: () => {
      log.push('enter');
      return turn;
    },
    leave: (_model: object, isAnswered: boolean) => log.push(`leave ${isAnswered}`),
  };
  const request = { context: context(), options: { admission }, found: { version: version(1) } };
  return { request: request as unknown as RoutedRequest, log };
}

const stage = admit(() => () => 1);

describe('the admit stage', () => {
  it('waits for its turn, and leaves with the answer', async () => {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const { request, log } = requestWith(promise as Promise<unknown> as Promise<void>);
    const answering = stage(request, () => {
      log.push('next');
      return ANSWER;
    });
    await new Promise(setImmediate);
    expect(log).toEqual(['enter']);
    resolve(undefined);
    expect(await answering).toBe(ANSWER);
    expect(log).toEqual(['enter', 'next', 'leave true']);
  });

  it('leaves without an answer if the request fails', async () => {
    const { request, log } = requestWith(undefined);
    const failing = stage(request, () => Promise.reject(new RouterError('ENGINE_LOST', 'gone')));
    await expect(failing).rejects.toMatchObject({ kind: 'ENGINE_LOST' });
    expect(log).toEqual(['enter', 'leave false']);
  });

  it('does not leave if it was not admitted', async () => {
    const { request, log } = requestWith(Promise.reject(new RouterError('ROUTER_FULL', 'full')));
    await expect(stage(request, () => ANSWER)).rejects.toMatchObject({ kind: 'ROUTER_FULL' });
    expect(log).toEqual(['enter']);
  });
});

describe('freeOf', () => {
  it('counts the free slots of the engines that hold the model, by one function for each model', () => {
    const { pool } = buildWhole(['a', 'b'].map(engine));
    pool.find('a').limit.cap(3);
    pool.find('b').limit.cap(2);
    const free = freeOf(pool);
    const [held, other] = [version(1), version(2)];
    expect([free(held)(), free(other)()]).toEqual([5, Infinity]);
    expect(free(held)).toBe(free(held));
    expect(free(held)).not.toBe(free(other));
  });
});
