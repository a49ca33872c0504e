// More than one liar. Liars that differ lose a vote; a majority of liars that agree cannot be told from the truth, unless
// those who agree must be of two kinds.
import { EngineState } from '../../services/generated/tandem/v1/engines.ts';
import { type Lie, addSpike, answerNaN, flipDigestBit } from '../fakes/lying-engine.ts';
import { closedLoad } from '../support/load.ts';
import { type Scenario, failures } from './scenario.ts';
import { type Stage, told } from './stage.ts';

const VOTES = 300;
const QUARANTINE_OFF = { quarantine: { dissents: 1_000, window_ms: 1_000 } };

interface Cell {
  readonly name: string;
  /** Of the sidecars; undefined: honest. */
  readonly lies: readonly (Lie | undefined)[];
  readonly settings: Record<string, unknown>;
}

const CELLS: readonly Cell[] = [
  {
    name: 'two different liars of five',
    lies: [flipDigestBit, addSpike, undefined, undefined, undefined],
    settings: { vote: { participants: 5 } },
  },
  {
    name: 'two different liars of three',
    lies: [flipDigestBit, addSpike, undefined],
    settings: { vote: { participants: 3 } },
  },
  {
    name: 'two alike of three',
    lies: [flipDigestBit, flipDigestBit, undefined],
    settings: { vote: { participants: 3 } },
  },
  {
    name: 'two alike beside the local engine, distinct_kinds: 2',
    lies: [flipDigestBit, flipDigestBit],
    settings: { local: { enabled: true }, vote: { participants: 3, distinct_kinds: 2 } },
  },
  {
    name: 'nobody beside the local engine, distinct_kinds: 2',
    lies: [undefined, undefined],
    settings: { local: { enabled: true }, vote: { participants: 3, distinct_kinds: 2 } },
  },
  {
    name: 'two alike beside the local engine, distinct_kinds: 2, quarantine as usual',
    lies: [flipDigestBit, flipDigestBit],
    settings: { local: { enabled: true }, vote: { participants: 3, distinct_kinds: 2 }, quarantine: {} },
  },
  {
    name: 'two alike with NaN of three',
    lies: [answerNaN, answerNaN, undefined],
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
      // What becomes of `alike` is documented, not demanded.
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

async function play(stage: Stage, { name, lies, settings }: Cell, truths: readonly string[]): Promise<Told> {
  const sidecars = await stage.sidecars(lies.length);
  const fronts = await Promise.all(sidecars.map((sidecar) => stage.liar(sidecar)));
  for (const [at, front] of fronts.entries()) front.lie = lies[at];
  const router = await stage.router(settings, fronts);
  const { requests } = await closedLoad({ system: router, inputs: stage.inputs, total: VOTES, inFlight: 4 }).finished;
  const out = (await router.operator.engines())
    .filter(({ state }) => state === EngineState.ENGINE_STATE_QUARANTINED)
    .map(({ id }) => id);
  await router.stop();
  await Promise.all(sidecars.map((sidecar) => sidecar.kill()));
  const answered = requests.filter(({ response }) => response !== undefined);
  const right = answered.filter(({ response, input }) => told(response!) === truths[input]).length;
  return { name, right, wrong: answered.length - right, refused: failures(requests), out };
}
