// Random networks and inputs on both engines: `node test/fuzz/fuzz.ts --pairs 10000`. See --help.
import { parseArguments } from '../support/arguments.ts';
import type { GraphSpec } from '../support/nir-writer.ts';
import type { Difference, Tally } from './compare.ts';
import { compareCases } from './compare.ts';
import { compareTraces } from './compare-traces.ts';
import type { SessionPlan } from './compare-sessions.ts';
import { EVERY_STEP, RANDOM_PIECES, SIMD_LEVELS, compareSessions, emptySessionTally } from './compare-sessions.ts';
import { INPUTS_A_CASE, generate } from './generate.ts';

const HELP = `Compares the local engine and a real sidecar, to the bit, on random networks and inputs.

  --pairs N    pairs of network and input (10000)
  --seed S     of the first case; case n has seed S + n (taken from the clock)
  --traces N   cases whose runs are compared step by step, too (100)
  --sessions N networks that run in pieces, too, each piece on another engine: in random pieces, and at each of 256
               steps; on sidecars of every instruction set that this machine has (40)
  --chunk N    cases an engine holds at a time (500)
  --show N     differences printed in full (5)
  --help

TANDEM_ENGINE_BIN names another sidecar than the one built here. Ends with 1 if any pair differs.
To see one case again: --seed <its seed> --pairs ${INPUTS_A_CASE}`;

async function main(): Promise<number> {
  const { values } = parseArguments({
    options: {
      pairs: { type: 'string', default: '10000' },
      seed: { type: 'string', default: String(Date.now() % 1_000_000_000) },
      traces: { type: 'string', default: '100' },
      sessions: { type: 'string', default: '40' },
      chunk: { type: 'string', default: '500' },
      show: { type: 'string', default: '5' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  const cases = Math.ceil(Number(values.pairs) / INPUTS_A_CASE);
  const [seed, show] = [Number(values.seed), Number(values.show)];
  const answers = await fuzz(cases, seed, Number(values.chunk), show);
  const traces = await fuzzTraces(Number(values.traces), seed, show);
  const sessions = await fuzzSessions(Number(values.sessions), seed, Number(values.chunk), show);
  return Math.max(answers, traces, sessions);
}

async function fuzz(cases: number, seed: number, chunk: number, show: number): Promise<number> {
  console.log(`seed ${seed}`);
  const started = performance.now();
  const tally: Tally = { pairs: 0, failed: 0, refused: 0, differences: [] };
  for (let first = 0; first < cases; first += chunk) {
    const length = Math.min(chunk, cases - first);
    await compareCases(
      Array.from({ length }, (_, n) => generate(seed + first + n)),
      tally,
    );
    console.log(`${tally.pairs} pairs, ${tally.differences.length} differing, ${seconds(started)} s`);
  }
  for (const difference of tally.differences.slice(0, show)) console.log(explain(difference));
  console.log(
    `${tally.pairs} pairs (${tally.failed} failed alike, ${tally.refused} models refused alike), ` +
      `${tally.differences.length} differing, ${seconds(started)} s`,
  );
  return tally.differences.length === 0 ? 0 : 1;
}

async function fuzzTraces(count: number, seed: number, show: number): Promise<number> {
  const started = performance.now();
  const tally = await compareTraces(Array.from({ length: count }, (_, n) => generate(seed + n)));
  for (const difference of tally.differences.slice(0, show)) console.log(`--- ${difference}`);
  console.log(
    `${tally.traced} runs traced (${tally.ended} ended early alike, ${tally.digests} digests, ${tally.places} places), ` +
      `${tally.differences.length} differing, ${seconds(started)} s`,
  );
  return tally.differences.length === 0 ? 0 : 1;
}

async function fuzzSessions(count: number, seed: number, chunk: number, show: number): Promise<number> {
  const plans: [string, SessionPlan][] = [
    ['in random pieces', RANDOM_PIECES],
    ['moved at each of 256 steps', EVERY_STEP],
  ];
  let worst = 0;
  for (const [name, plan] of plans) {
    const started = performance.now();
    const tally = emptySessionTally();
    for (let first = 0; first < count; first += chunk) {
      const length = Math.min(chunk, count - first);
      const cases = Array.from({ length }, (_, n) => generate(seed + first + n));
      await compareSessions(cases, plan, SIMD_LEVELS, tally);
    }
    const { compared, failed, pieces, engines, stateBytes, differences } = tally;
    for (const difference of differences.slice(0, show)) console.log(`--- ${difference}`);
    console.log(
      `${compared + failed} sessions ${name}, ${pieces} pieces on ${engines} engines (${failed} failed alike, largest state ` +
        `${stateBytes} bytes), ${differences.length} differing, ${seconds(started)} s`,
    );
    worst = Math.max(worst, Number(differences.length > 0));
  }
  return worst;
}

/** A short description; `generate(seed)` gives the rest. */
function explain({ fuzzCase, input, local, sidecar }: Difference): string {
  const { seed, manifest, graph, inputs } = fuzzCase;
  const given = inputs[input];
  return [
    `--- seed ${seed}, ${given === undefined ? 'the model' : `input ${input} of shape [${given.shape.join(', ')}]`}`,
    `local:   ${local}`,
    `sidecar: ${sidecar}`,
    manifest.trimEnd(),
    ...outline(graph, ''),
  ].join('\n');
}

function outline(graph: GraphSpec, indent: string): string[] {
  return [
    ...Object.entries(graph.nodes).flatMap(([name, node]) => [
      `${indent}${name}: ${node.type}`,
      ...('nodes' in node ? outline(node, `${indent}  `) : []),
    ]),
    `${indent}edges: ${graph.edges.map(([source, target]) => `${source} → ${target}`).join(', ')}`,
  ];
}

function seconds(since: number): string {
  return ((performance.now() - since) / 1000).toFixed(1);
}

process.exitCode = await main();
