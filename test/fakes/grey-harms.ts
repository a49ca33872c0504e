// Faults of an engine that still answers Describe. Each function starts its fault on a LyingEngine, and returns a
// function that ends it.
import type { FakeStream } from './fake-sidecar.ts';
import { FORBIDDEN_KINDS } from './lies.ts';
import type { LyingEngine, Tamper } from './lying-engine.ts';

export type Harm = (engine: LyingEngine) => () => void;

/** Added to an id: no stream of a test has so many items. */
const UNASKED = 1_000_000_000n;
const FLOOD_INTERVAL_MS = 5;
const FLOOD_MESSAGES = 20;

/** It accepts inputs and answers none of them. */
export const ignoreInputs: Harm = (engine) => {
  engine.stall = true;
  return () => (engine.stall = false);
};

/** Its answers have unknown ids. */
export const answerUnknownIds = tampered(({ id, outcome }) => [{ id: id + UNASKED, outcome }]);

/** It gives each answer twice. */
export const answerTwice = tampered((honest) => [honest, honest]);

/** It answers everything with `kind`, which an engine may not use on its own. */
export function refuseWith(kind: 'CANCELLED' | 'DEADLINE_EXCEEDED'): Harm {
  return tampered(FORBIDDEN_KINDS.find(({ name }) => name === kind)!.tamper);
}

export function answerLate(delayMs: number): Harm {
  return (engine) => {
    engine.delayMs = delayMs;
    return () => (engine.delayMs = 0);
  };
}

/** It stops reading its streams, so the router's messages fill their windows. */
export const stopReading: Harm = (engine) => {
  const pause = (stream: FakeStream): void => void stream.pause();
  for (const stream of engine.streams) pause(stream);
  engine.onStream = pause;
  return () => {
    engine.onStream = () => undefined;
    for (const stream of engine.streams) stream.resume();
  };
};

/** It answers nothing, and sends thousands of messages a second without a result: it is never silent. */
export const flood: Harm = (engine) => {
  const endIgnoring = ignoreInputs(engine);
  const sendAll = (): void => {
    for (const stream of engine.streams) {
      for (let sent = 0; sent < FLOOD_MESSAGES; sent += 1) stream.write({ results: [], checksum: 0n });
    }
  };
  const timer = setInterval(sendAll, FLOOD_INTERVAL_MS);
  return () => {
    clearInterval(timer);
    endIgnoring();
  };
};

function tampered(tamper: Tamper): Harm {
  return (engine) => {
    engine.tamper = tamper;
    return () => (engine.tamper = undefined);
  };
}
