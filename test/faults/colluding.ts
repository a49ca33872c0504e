// More than one lying engine. Different lies lose a vote. A majority with the same lie cannot be detected, unless the
// engines that agree must be of two kinds.
import { EngineState } from '../../services/generated/tandem/v1/engines.ts';
import { closedLoad } from '../support/load.ts';
import { answerKey } from '../support/answer-key.ts';
import { type Scenario, failures } from './scenario.ts';
import type { Stage } from './stage.ts';

const VOTES = 300;
const QUARANTINE_OFF = { quarantine: { dissents: 1_000, window_ms: 1_000 } };

/** The behaviour of a sidecar: correct, or lying by a fault and its seed. */
type Conduct = 'honest' | { readonly fault: string; readonly seed: number };

const WRONG = { fault: 'runs=1', seed: 1 };
/** Of another kind, since two random bit flips are sometimes equal. */
const OTHERWISE_WRONG = { fault: 'weights=1', seed: 1 };
const NO_NUMBERS = { fault: 'nans=1', seed: 1 };

interface Cell {
  readonly name: string;
  readonly sidecars: readonly Conduct[];
  readonly settings: Record<string, unknown>;
}

const CELLS: readonly Cell[] = [
  {
    name: 'two different liars of five',
    sidecars: [WRONG, OTHERWISE_WRONG, 'honest', 'honest', 'honest'],
    settings: { vote: { participants: 5 } },
  },
  {
    name: 'two different liars of three',
    sidecars: [WRONG, OTHERWISE_WRONG, 'honest'],
    settings: { vote: { participants: 3 } },
  },
  {
    name: 'two alike of three',
    sidecars: [WRONG, WRONG, 'honest'],
    settings: { vote: { participants: 3 } },
  },
  {
    name: 'two alike beside the local engine, distinct_kinds: 2',
    sidecars: [WRONG, WRONG],
    settings: { local: { enabled: true }, vote: { participants: 3, distinct_kinds: 2 } },
  },
  {
    name: 'none beside the local engine, distinct_kinds: 2',
    sidecars: ['honest', 'honest'],
    settings: { local: { enabled: true }, vote: { participants: 3, distinct_kinds: 2 } },
  },
  {
    name: 'two alike beside the local engine, distinct_kinds: 2, quarantine as usual',
    sidecars: [WRONG, WRONG],
    settings: { local: { enabled: true }, vote: { participants: 3, distinct_kinds: 2 }, quarantine: {} },
  },
  {
    name: 'two alike with NaN of three',
    sidecars: [NO_NUMBERS, NO_NUMBERS, 'honest'],
    settings: { vote: { participants: 3 } },
  },
];

export const colluding: Scenario = {
  name: 'colluding',
  fault: 'two liars: different ones, and two that agree',
  settings: { strategy: 'REDUNDANT' },
  bar: 'two different of five: right; two alike of three: not known; with distinct_kinds 2: refused',
  async run(stage) {
    const truths = await stage.truths();
    const cells = [];
    for (const cell of CELLS) {
      const each = await play(
        stage,
        { ...cell, settings: { ...this.settings, ...QUARANTINE_OFF, ...cell.settings } },
        truths,
      );
      stage.progress(JSON.stringify(each));
      cells.push(each);
    }
    const [ofFive, ofThree, alike, kinds, nobody, usual, notANumber] = cells as [
      Told,
      Told,
      Told,
      Told,
      Told,
      Told,
      Told,
    ];
    return {
      figures: { cells },
      measured: cells.map(describe).join('; '),
      // The result of `alike` is reported, but not required.
      passed:
        [ofFive, nobody].every(({ right }) => right === VOTES) &&
        [ofThree, kinds, usual].every(({ wrong }) => wrong === 0),
      missed: [alike, notANumber]
        .filter(({ wrong }) => wrong > 0)
        .map(({ name, wrong }) => `${name}: ${wrong} wrong, as it must be`),
    };
  },
};

function describe({ name, right, wrong, refused, out }: Told): string {
  const refusals = Object.entries(refused).map(([kind, count]) => `, ${count} ${kind}`);
  const outs = out.length > 0 ? `, out: ${out.join(' ')}` : '';
  return `${name}: ${right} right, ${wrong} wrong${refusals.join('')}${outs}`;
}

interface Told {
  readonly name: string;
  readonly right: number;
  readonly wrong: number;
  readonly refused: Record<string, number>;
  /** Engines that are quarantined at the end. */
  readonly out: readonly string[];
}

async function play(
  stage: Stage,
  { name, sidecars: conducts, settings }: Cell,
  truths: readonly string[],
): Promise<Told> {
  const started = await Promise.all(
    conducts.map((conduct) => (conduct === 'honest' ? stage.sidecars(1) : stage.faulty(conduct.fault, conduct))),
  );
  const sidecars = started.flat();
  const router = await stage.router(settings, sidecars);
  const { requests } = await closedLoad({ system: router, inputs: stage.inputs, total: VOTES, inFlight: 4 }).finished;
  const out = (await router.operator.engines())
    .filter(({ state }) => state === EngineState.ENGINE_STATE_QUARANTINED)
    .map(({ id }) => id);
  await router.stop();
  await Promise.all(sidecars.map((sidecar) => sidecar.kill()));
  const answered = requests.filter(({ response }) => response !== undefined);
  const right = answered.filter(({ response, input }) => answerKey(response!) === truths[input]).length;
  return { name, right, wrong: answered.length - right, refused: failures(requests), out };
}
