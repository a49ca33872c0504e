import xxhash from 'xxhash-wasm';
import type { EngineView, Strategy } from './strategy.ts';

const { h64 } = await xxhash();

/** An engine may have this multiple of the mean in flight, plus one … */
const LOAD_BOUND = 1.25;
/** … and this many in any case: at low load, balancing gains nothing. */
const ALWAYS_ALLOWED = 8;

/**
 * Sends equal questions to the same engine, by rendezvous hashing (Thaler and Ravishankar, "Using name-based mappings
 * to increase hit rates", 1998): each engine gets a hash of the question and its own id, and the largest is first. A
 * removed engine moves only its own questions, each to the second engine; an added one takes an equal share from each.
 *
 * A very frequent question must not overload its engine: engines with clearly more than the mean in flight come after
 * all others, in the same order (Mirrokni, Thorup and Zadimoghaddam, "Consistent hashing with bounded loads", 2016).
 * Its overflow goes to one engine, the question's second, as long as that one is not overloaded too.
 */
export const affinity: Strategy = ({ engines, questionHash }) => {
  const question = questionHash();
  const order = engines
    .map((engine) => ({ engine, weight: h64(engine.id, question) }))
    .sort((a, b) => (b.weight > a.weight ? 1 : -1))
    .map(({ engine }) => engine);
  const most = mostInFlight(order);
  if (order.every(({ inFlight }) => inFlight <= most)) return order;
  return [...order.filter(({ inFlight }) => inFlight <= most), ...order.filter(({ inFlight }) => inFlight > most)];
};

function mostInFlight(engines: readonly EngineView[]): number {
  const total = engines.reduce((sum, { inFlight }) => sum + inFlight, 0);
  return Math.max(ALWAYS_ALLOWED, (LOAD_BOUND * total) / engines.length + 1);
}
