import { type EngineView, type Strategy, rotate } from './strategy.ts';

/**
 * For asking the first few at once and comparing their answers: the kinds take turns within the plan, so that voters
 * are of different kinds as far as there are any, since copies of one binary share its bugs. Within a kind, every
 * engine in turn.
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
