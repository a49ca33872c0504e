import { beforeEach, expect, it } from '@jest/globals';
import { SheddingEvents } from './shedding.ts';

let shed: Record<'ENGINES' | 'CPU' | 'MEMORY', number>;
let logged: [string, string, unknown][];
let events: SheddingEvents;
let nowMs: number;

beforeEach(() => {
  shed = { ENGINES: 5, CPU: 0, MEMORY: 0 };
  logged = [];
  nowMs = 0;
  const counted = {
    get shed() {
      return shed;
    },
  };
  events = new SheddingEvents(counted, {
    tell: (_topic, severity, text, { name }) => logged.push([severity, text, name]),
  });
});

/** Checks one second later. */
function look(): void {
  nowMs += 1_000;
  events.look(nowMs);
}

it('does not report requests that were refused before it started', () => {
  for (let k = 0; k < 60; k += 1) look();
  expect(logged).toEqual([]);
});

it('reports once that requests are refused, with the cause and what to do', () => {
  for (let k = 0; k < 60; k += 1) {
    shed.CPU += 3;
    look();
  }
  const text = expect.stringMatching(/^requests are refused: the router has too little CPU.*give it more/) as unknown;
  expect(logged).toEqual([['WARNING', text, 'shedding for lack of CPU']]);
});

it('reports the end after 10 s without a refusal, with the number of refused requests', () => {
  shed.ENGINES += 2;
  look();
  shed.ENGINES += 3;
  look();
  for (let k = 0; k < 9; k += 1) look();
  expect(logged).toHaveLength(1);
  look();
  const text = 'no requests are refused any more; 5 were refused within 1 s';
  expect(logged[1]).toEqual(['INFO', text, 'shedding for lack of engines']);
});

it('does not report the end after a short pause', () => {
  for (let k = 0; k < 10; k += 1) {
    shed.MEMORY += 1;
    look();
    for (let quiet = 0; quiet < 5; quiet += 1) look();
  }
  expect(logged).toHaveLength(1);
});

it('continues when the metrics are reset', () => {
  shed = { ENGINES: 1, CPU: 0, MEMORY: 0 };
  look();
  expect(logged).toHaveLength(1);
});
