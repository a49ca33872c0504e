import { beforeEach, describe, expect, it } from '@jest/globals';
import { type LoopClock, Turns } from './turns.ts';

let nowMs: number;
let later: (() => void)[];
let loop: LoopClock;
let turns: Turns;

beforeEach(() => {
  nowMs = 0;
  later = [];
  loop = { now: () => nowMs, afterOthers: (run) => void later.push(run), afterReady: (run) => void setImmediate(run) };
  turns = new Turns(loop);
});

/** The event loop comes round again. */
async function turn(): Promise<void> {
  for (const run of later.splice(0)) run();
  for (let k = 0; k < 20; k += 1) await new Promise((resolve) => setImmediate(resolve));
}

/** A piece of work for each of `names`, which takes so long. Returns who has run. */
function work(names: readonly string[], ms: number): string[] {
  const done: string[] = [];
  for (const name of names) {
    const waiting = turns.next();
    const run = (): void => {
      nowMs += ms;
      done.push(name);
    };
    if (waiting === undefined) run();
    else void waiting.then(run);
  }
  return done;
}

describe('work in turns', () => {
  it('goes on at once as long as its slice lasts', () => {
    expect(work(['a', 'b', 'c'], 0.25)).toEqual(['a', 'b', 'c']);
  });

  it('waits once the slice is used up', async () => {
    const done = work(['a', 'b', 'c', 'd'], 0.5);
    await Promise.resolve();
    expect(done).toEqual(['a', 'b']);
  });

  it('gets one slice for each turn of the loop, however many wait', async () => {
    const done = work(['a', 'b', 'c', 'd', 'e', 'f', 'g'], 0.5);
    await turn();
    expect(done).toEqual(['a', 'b', 'c', 'd']);
    await turn();
    expect(done).toEqual(['a', 'b', 'c', 'd', 'e', 'f']);
  });

  it('is served first come, first served', async () => {
    const first = work(['a'], 3);
    const second = work(['b'], 3);
    const third = work(['c'], 3);
    await turn();
    expect([first, second, third]).toEqual([['a'], ['b'], []]);
  });

  it('begins anew after a turn without waiting tasks', async () => {
    work(['a'], 3);
    await turn();
    expect(work(['b'], 0.5)).toEqual(['b']);
  });
});
