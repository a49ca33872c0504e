// What a refusal keeps in memory. server-http.test.ts tests what its client receives.
import { expect, it } from '@jest/globals';
import type { Stream } from '../http2/index.ts';
import { PlainRefusal } from './plain-refusal.ts';
import { TimingWheel } from './timing-wheel.ts';

const ANSWER = { headers: Buffer.from('h'), text: Buffer.from('t') };

it.each([
  ['was reset', (refusal: PlainRefusal) => refusal.onReset()],
  ['was answered', (refusal: PlainRefusal) => refusal.onTrailers()],
])('a refusal that %s stops its timer', (_what, end) => {
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
