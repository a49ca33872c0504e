import type { EngineView, Strategy } from './strategy.ts';

/** One of this many turns may go to an engine with an old measurement. */
const EXPLORE_EVERY_TURNS = 20;
/** Measurements vary: only a time below this share of the other's counts as different. */
const CLEARLY_SOONER = 0.8;
/** An engine without an answer for this long is measured again, milliseconds. */
const EXPLORE_AFTER_MS = 1_000;

/**
 * Of two engines drawn at random, the one that should answer sooner (Mitzenmacher, "The power of two choices in
 * randomized load balancing", 2001): close to the best of all, without sending all requests to one engine, as choosing
 * the best would do while measurements lag. The others follow, soonest first.
 *
 * - A failing engine is not drawn while another one answers: otherwise two failing ones could be drawn together.
 * - An engine without a measurement gets one request first; the next requests do not wait for it.
 * - A slow or failed engine gets no requests, so its measurement would never change: at most one turn in 20 goes to the
 *   engine that has been idle longest, if over a second. So at most 5 % of requests go to such an engine, and it is
 *   used again within seconds of its recovery.
 */
export const fastest: Strategy = ({ engines, turn, random }) => {
  const explored = turn % EXPLORE_EVERY_TURNS === EXPLORE_EVERY_TURNS - 1 ? longestIdle(engines) : undefined;
  const first = explored ?? engines.find(isUntried) ?? soonerOfTwo(answering(engines), random);
  const others = engines.filter((engine) => engine !== first).sort(bySooner);
  return first === undefined ? others : [first, ...others];
};

function answering<E extends EngineView>(engines: readonly E[]): readonly E[] {
  if (!engines.some(({ isFailing }) => isFailing)) return engines;
  const others = engines.filter(({ isFailing }) => !isFailing);
  return others.length > 0 ? others : engines;
}

function isUntried({ expectedMs, inFlight }: EngineView): boolean {
  return expectedMs === 0 && inFlight === 0;
}

function longestIdle<E extends EngineView>(engines: readonly E[]): E | undefined {
  let longest: E | undefined;
  for (const engine of engines) {
    const isDue = engine.idleMs > EXPLORE_AFTER_MS && engine.inFlight === 0;
    if (isDue && (longest === undefined || engine.idleMs > longest.idleMs)) longest = engine;
  }
  return longest;
}

function soonerOfTwo<E extends EngineView>(engines: readonly E[], random: () => number): E | undefined {
  if (engines.length < 2) return engines[0];
  const one = Math.floor(random() * engines.length);
  const step = 1 + Math.floor(random() * (engines.length - 1));
  const [a, b] = [engines[one]!, engines[(one + step) % engines.length]!];
  const [aMs, bMs] = [sortableMs(a), sortableMs(b)];
  const isClear = Math.min(aMs, bMs) < CLEARLY_SOONER * Math.max(aMs, bMs);
  if (isClear) return aMs < bMs ? a : b;
  // Nearly equal: the one with fewer requests, else the one drawn first, so that equals share the work.
  return b.inFlight < a.inFlight ? b : a;
}

/** If neither is known, or both are equal, the one with fewer requests. */
function bySooner(a: EngineView, b: EngineView): number {
  if (a.isFailing !== b.isFailing) return a.isFailing ? 1 : -1;
  const [aMs, bMs] = [sortableMs(a), sortableMs(b)];
  return aMs === bMs ? a.inFlight - b.inFlight : aMs - bMs;
}

/** Without a measurement and already asked: unknown, so it is last. */
function sortableMs(engine: EngineView): number {
  return engine.expectedMs > 0 || isUntried(engine) ? engine.expectedMs : Number.MAX_VALUE;
}
