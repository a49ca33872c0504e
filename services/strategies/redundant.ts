import { type EngineView, type Strategy, rotate } from './strategy.ts';

/**
 * For asking the first few at once and comparing their answers: the kinds take turns within the plan, so that voters
 * are of different kinds as far as there are any, since copies of one binary share its bugs. Within a kind, every
 * engine in turn.
 */
export const redundant: Strategy = ({ engines, turn }) =>
  interleave([...Map.groupBy(engines, ({ kind }) => kind).values()].map((ofOneKind) => rotate(ofOneKind, turn)));

/** The first of each group, then the second of each, and so on. */
function interleave<E extends EngineView>(groups: readonly (readonly E[])[]): readonly E[] {
  const longest = Math.max(0, ...groups.map(({ length }) => length));
  return Array.from({ length: longest }, (_, place) => groups.flatMap((group) => group.slice(place, place + 1))).flat();
}
