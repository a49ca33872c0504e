// The judges of `npm run test:edge`, in the order in which they run.
import { table } from '../../services/cli/table.ts';
import { type EdgeName, startEdge } from './edges.ts';
import { judgeFloods, outcomeOf } from './floods/judge.ts';
import { judgeByH2spec } from './h2spec.ts';
import { judgeHpack } from './hpack.ts';
import { judgeInterop } from './interop/judge.ts';

export interface Verdict {
  readonly judge: string;
  /** Undefined if it does not test an edge. */
  readonly edge: EdgeName | undefined;
  readonly what: string;
  /** Also true for a failed case with a known reason. */
  readonly passed: boolean;
  readonly note: string;
}

interface Judge {
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

const floodJudge: Judge = {
  name: 'floods',
  what: 'Attacks of raw sockets: closed or bounded, memory +16 MB at most, another client’s p99 at most three times',
  run: async (edges, progress) => {
    const verdicts: Verdict[] = [];
    for (const name of edges) {
      const floods = await judgeFloods(name, progress);
      const rows = floods.map((each) => [
        each.passed ? 'ok' : 'FAILED',
        each.attack.name,
        each.attack.reference,
        outcomeOf(each),
        each.report.opened,
        (each.report.bytesSent / 2 ** 20).toFixed(1),
        (each.grownBytes / 2 ** 20).toFixed(1),
        each.quietP99Ms.toFixed(2),
        each.p99Ms.toFixed(2),
        (each.p99Ms / each.quietP99Ms).toFixed(1),
        each.failedCalls,
      ]);
      const head = [
        '',
        'ATTACK',
        'KNOWN AS',
        'OUTCOME',
        'OPENED',
        'SENT MB',
        'GROWN MB',
        'QUIET P99 MS',
        'P99 MS',
        'TIMES',
      ];
      print(`\nFloods, ${name}\n${table([...head, 'FAILED CALLS'], rows)}`);
      verdicts.push(
        ...floods.map((each, at) => ({
          judge: 'floods',
          edge: name,
          what: each.attack.name,
          passed: each.passed,
          note: rows[at]!.slice(3).join(' · '),
        })),
      );
    }
    return verdicts;
  },
};

const hpackJudge: Judge = {
  name: 'hpack',
  what: 'HPACK against the public stories of a dozen encoders',
  run: async () => {
    const results = await judgeHpack();
    const rows = results.map(({ encoder, stories, blocks, fields, problems }) => [
      blocks === 0 ? '—' : problems.length === 0 ? 'ok' : 'FAILED',
      encoder,
      stories,
      blocks,
      fields,
      problems[0] ?? (blocks === 0 ? 'it needs a larger table than our endpoints announce' : ''),
    ]);
    print(`\nHPACK stories\n${table(['', 'ENCODER', 'STORIES', 'BLOCKS', 'FIELDS', 'FIRST PROBLEM'], rows)}`);
    return results
      .filter(({ blocks }) => blocks > 0)
      .map(({ encoder, problems }) => ({
        judge: 'hpack',
        edge: undefined,
        what: encoder,
        passed: problems.length === 0,
        note: problems.join('; '),
      }));
  },
};

const interopJudge: Judge = {
  name: 'interop',
  what: 'gRPC’s own interoperability clients and servers (Go, Java) against ours, both ways',
  run: async (_edges, progress) => {
    const results = await judgeInterop(progress);
    const pairs = [...new Set(results.map(({ client, server }) => `${client} → ${server}`))];
    const cases = [...new Set(results.map(({ testCase }) => testCase))];
    const cell = (pair: string, testCase: string): string => {
      const found = results.find((each) => each.testCase === testCase && `${each.client} → ${each.server}` === pair);
      return found === undefined ? '—' : found.problem === '' ? 'ok' : 'FAILED';
    };
    const rows = cases.map((testCase) => [testCase, ...pairs.map((pair) => cell(pair, testCase))]);
    print(`\ngRPC interoperability, client → server\n${table(['CASE', ...pairs], rows)}`);
    const failed = results.filter(({ problem }) => problem !== '');
    for (const { client, server, testCase, problem } of failed) print(`${client} → ${server}, ${testCase}: ${problem}`);
    return results.map(({ client, server, testCase, problem }) => ({
      judge: 'interop',
      edge: 'native',
      what: `${client} → ${server}, ${testCase}`,
      passed: problem === '',
      note: problem,
    }));
  },
};

export const JUDGES: readonly Judge[] = [h2specJudge, hpackJudge, interopJudge, floodJudge];
