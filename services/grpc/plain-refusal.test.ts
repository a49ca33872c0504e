// What a refusal keeps. What its client sees is in server.test.ts.
import { expect, it } from '@jest/globals';
import type { Stream } from '../http2/index.ts';
import { PlainRefusal } from './plain-refusal.ts';
import { TimingWheel } from './timing-wheel.ts';

const ANSWER = { headers: Buffer.from('h'), text: Buffer.from('t') };

it.each([
  ['was reset', (refusal: PlainRefusal) => refusal.onReset()],
  ['was answered', (refusal: PlainRefusal) => refusal.onTrailers()],
])('a request that %s waits for its time no longer', (_what, end) => {
  let tick!: () => void;
  let hasTimer = true;
  const every = (_ms: number, run: () => void): (() => void) => {
    tick = run;
    return () => (hasTimer = false);
  };
  const stream = { sendHeaders: () => undefined, sendData: () => true } as unknown as Stream;
  const refusal = new PlainRefusal(stream, ANSWER, new TimingWheel({ now: () => 0, every }), 60_000);
  tick();
  expect(hasTimer).toBe(true);
  end(refusal);
  tick();
  expect(hasTimer).toBe(false);
});
