// What an engine can do wrong while it still answers Describe. Each harm starts when it is called, on a LyingEngine, and
// returns the function that ends it.
import type { FakeStream } from './fake-sidecar.ts';
import { FORBIDDEN_KINDS } from './lies.ts';
import type { LyingEngine, Tamper } from './lying-engine.ts';

export type Harm = (engine: LyingEngine) => () => void;

/** Added to an id: no stream of a test asks so much. */
const UNASKED = 1_000_000_000n;
const FLOOD_INTERVAL_MS = 5;
const FLOOD_MESSAGES = 20;

/** It takes inputs and answers none of them. */
export const swallow: Harm = (engine) => {
  engine.stall = true;
  return () => (engine.stall = false);
};

/** Its answers have ids that were not asked. */
export const answerUnknownIds = tampered(({ id, outcome }) => [{ id: id + UNASKED, outcome }]);

/** It gives each answer twice. */
export const answerTwice = tampered((honest) => [honest, honest]);

/** It answers everything with `kind`, which no engine may say by itself. */
export function refuseWith(kind: 'CANCELLED' | 'DEADLINE_EXCEEDED'): Harm {
  return tampered(FORBIDDEN_KINDS.find(({ name }) => name === kind)!.tamper);
}

export function answerLate(delayMs: number): Harm {
  return (engine) => {
    engine.delayMs = delayMs;
    return () => (engine.delayMs = 0);
  };
}

/** It reads nothing more of its streams, so that what the router sends fills their windows. */
export const goDeaf: Harm = (engine) => {
  const deafen = (stream: FakeStream): void => void stream.pause();
  for (const stream of engine.streams) deafen(stream);
  engine.onStream = deafen;
  return () => {
    engine.onStream = () => undefined;
    for (const stream of engine.streams) stream.resume();
  };
};

/** It answers nothing, and sends thousands of messages a second without a result: it is never silent. */
export const flood: Harm = (engine) => {
  const endSwallow = swallow(engine);
  const sendAll = (): void => {
    for (const stream of engine.streams) {
      for (let sent = 0; sent < FLOOD_MESSAGES; sent += 1) stream.write({ results: [], checksum: 0n });
    }
  };
  const timer = setInterval(sendAll, FLOOD_INTERVAL_MS);
  return () => {
    clearInterval(timer);
    endSwallow();
  };
};

function tampered(tamper: Tamper): Harm {
  return (engine) => {
    engine.tamper = tamper;
    return () => (engine.tamper = undefined);
  };
}
