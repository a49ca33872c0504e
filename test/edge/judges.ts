// The judges of `npm run test:edge`, in the order in which they run.
import { table } from '../../services/cli/table.ts';
import { type EdgeName, startEdge } from './edges.ts';
import { judgeByH2spec } from './h2spec.ts';

export interface Verdict {
  readonly judge: string;
  /** Undefined: it is about no edge. */
  readonly edge: EdgeName | undefined;
  readonly what: string;
  /** True also for what did not pass for a named reason. */
  readonly passed: boolean;
  readonly note: string;
}

export interface Judge {
  readonly name: string;
  readonly what: string;
  /** Prints its table, and returns one verdict a case. */
  readonly run: (edges: readonly EdgeName[], progress: (text: string) => void) => Promise<Verdict[]>;
}

const print = (text: string): void => void process.stdout.write(`${text}\n`);

const h2specJudge: Judge = {
  name: 'h2spec',
  what: 'RFC 9113 and RFC 7541 by h2spec, strict',
  run: async (edges, progress) => {
    const verdicts: Verdict[] = [];
    for (const name of edges) {
      progress(`h2spec against ${name}`);
      const edge = await startEdge(name);
      const cases = await judgeByH2spec(edge).finally(() => edge.stop());
      const notPassed = cases.filter(({ outcome }) => outcome !== 'passed');
      print(`\nh2spec, strict, ${name}: ${cases.length - notPassed.length} of ${cases.length} passed`);
      const rows = notPassed.map(({ id, outcome, reason }) => [outcome, id, reason ?? 'UNEXPLAINED']);
      if (rows.length > 0) print(table(['OUTCOME', 'CASE', 'REASON'], rows));
      verdicts.push(
        ...cases.map(({ id, outcome, reason }) => ({
          judge: 'h2spec',
          edge: name,
          what: id,
          passed: outcome === 'passed' || reason !== undefined,
          note: outcome === 'passed' ? '' : `${outcome}: ${reason ?? 'unexplained'}`,
        })),
      );
    }
    return verdicts;
  },
};

export const JUDGES: readonly Judge[] = [h2specJudge];
