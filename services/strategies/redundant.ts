import { type EngineView, type Strategy, rotate } from './strategy.ts';

/**
 * For votes: engine kinds alternate in the plan, so that voters are of different kinds if possible, since copies of one
 * binary share its bugs. Within a kind, engines take turns.
 */
export const redundant: Strategy = ({ engines, turn }) => {
  const { sidecar = [], local = [] } = Object.groupBy(engines, ({ kind }) => kind);
  const first = engines[0]?.kind === 'local' ? [local, sidecar] : [sidecar, local];
  return interleave(first.map((ofOneKind) => rotate(ofOneKind, turn)));
};

/** The first of each group, then the second of each, and so on. */
function interleave<E extends EngineView>(groups: readonly (readonly E[])[]): readonly E[] {
  const longest = Math.max(...groups.map(({ length }) => length));
  const all: E[] = [];
  for (let index = 0; index < longest; index += 1) {
    for (const group of groups) if (index < group.length) all.push(group[index]!);
  }
  return all;
}
