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

/** Runs one turn of the event loop. */
async function turn(): Promise<void> {
  for (const run of later.splice(0)) run();
  for (let k = 0; k < 20; k += 1) await new Promise((resolve) => setImmediate(resolve));
}

/** Runs one task of `ms` for each name. Returns the names of the tasks that have run. */
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

describe('Turns', () => {
  it('runs tasks at once within the time slice', () => {
    expect(work(['a', 'b', 'c'], 0.25)).toEqual(['a', 'b', 'c']);
  });

  it('lets tasks wait if the slice is used up', async () => {
    const done = work(['a', 'b', 'c', 'd'], 0.5);
    await Promise.resolve();
    expect(done).toEqual(['a', 'b']);
  });

  it('gives one slice for each turn of the loop', async () => {
    const done = work(['a', 'b', 'c', 'd', 'e', 'f', 'g'], 0.5);
    await turn();
    expect(done).toEqual(['a', 'b', 'c', 'd']);
    await turn();
    expect(done).toEqual(['a', 'b', 'c', 'd', 'e', 'f']);
  });

  it('serves tasks in order of arrival', async () => {
    const first = work(['a'], 3);
    const second = work(['b'], 3);
    const third = work(['c'], 3);
    await turn();
    expect([first, second, third]).toEqual([['a'], ['b'], []]);
  });

  it('starts a new slice after a turn without waiting tasks', async () => {
    work(['a'], 3);
    await turn();
    expect(work(['b'], 0.5)).toEqual(['b']);
  });
});
