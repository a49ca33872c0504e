import type { EngineView, Strategy } from './strategy.ts';

/** Every so many turns, one may go to an engine whose measurement has grown old. */
const EXPLORE_EVERY_TURNS = 20;
/** Measurements differ by chance: less than this part of the other's time is a difference. */
const CLEARLY_SOONER = 0.8;
/** An engine that has not answered for so long is measured anew, milliseconds. */
const EXPLORE_AFTER_MS = 1_000;

/**
 * Of two engines drawn at random, the one that should answer sooner (Mitzenmacher, "The power of two choices in
 * randomized load balancing", 2001): close to the best of all, and never everybody to the same engine, as picking the
 * best of all does while measurements lag behind. The others stand by, the soonest first.
 *
 * - An engine that fails takes no part in the draw while another one answers: else two that fail would be drawn together,
 *   and one of them be asked.
 * - An engine that was never measured is asked first, with one request: the next ones do not wait for what may be slow.
 * - An engine that was slow, or failed, is asked nothing and so would stay so on record for ever: at most one turn in 20
 *   asks the engine that has been idle longest, if that is over a second. So at most 5 % of requests go to such an engine,
 *   and it is back within seconds of its recovery.
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
  // As good as equal: the one with less to do, else the one drawn first, so that equals share the work.
  return b.inFlight < a.inFlight ? b : a;
}

/** Where neither is known, or both should take as long, the one with less to do. */
function bySooner(a: EngineView, b: EngineView): number {
  if (a.isFailing !== b.isFailing) return a.isFailing ? 1 : -1;
  const [aMs, bMs] = [sortableMs(a), sortableMs(b)];
  return aMs === bMs ? a.inFlight - b.inFlight : aMs - bMs;
}

/** Never measured and asked already: it may be anything, so it comes last. */
function sortableMs(engine: EngineView): number {
  return engine.expectedMs > 0 || isUntried(engine) ? engine.expectedMs : Number.MAX_VALUE;
}
