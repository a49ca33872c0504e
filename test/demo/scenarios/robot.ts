import { hex64 } from '../../../services/core/hex.ts';
import { ModelOperator } from '../../support/model-operator.ts';
import { writeNir } from '../../support/nir-writer.ts';
import type { Page } from '../page.ts';
import { CartPole, STEP_S } from '../robot/cart-pole.ts';
import { oneLine, screen } from '../robot/drawing.ts';
import { Killer } from '../robot/killer.ts';
import { ROBOT_MANIFEST, robotGraph } from '../robot/network.ts';
import { ROBOT, type Ride, askWhole, ride } from '../robot/ride.ts';
import type { Scenario } from '../scenario.ts';
import type { Stage } from '../stage.ts';

const SEED = 7;
const STEP_MS = STEP_S * 1_000;
/** The output: 25 frames a second on a terminal, else a line each half second. */
const STEPS_A_FRAME = 4;
const STEPS_A_LINE = 50;
/** The engines that are killed, in turn: one at the end of each second. */
const KILLS = [['engine-1'], ['engine-2'], ['engine-1'], ['engine-1', 'engine-2']];
const STEPS_A_SECOND = 1 / STEP_S;

export const robot = (seconds: number): Scenario => ({
  name: 'robot',
  title: 'A robot in a session',
  why: 'A spiking network balances a pole and follows a light, a step each 10 ms, while engines are killed.',
  async run(stage, page) {
    await load(stage, page);
    page.say(
      'It sees the angle of the pole and the distance to the light, but no speed: its membranes remember earlier inputs.',
    );
    page.say(
      `Its spikes, live: http://${stage.system.httpAddress}/#/sessions (with --seconds 60 you have the time to look).`,
    );
    page.say('');
    const steps = seconds * STEPS_A_SECOND;
    const forgetful = await ride(stage.system, new CartPole(SEED), { steps });
    const killer = new Killer(new Map(stage.honest.map((sidecar, index) => [`engine-${index + 1}`, sidecar])));
    const done = await show(stage, page, killer, steps);
    await killer.finish();
    report(page, done, killer.kills, steps);
    await compare(stage, page, done);
    const fellS = (forgetful.answers.length * STEP_S).toFixed(1);
    page.claim(
      `without the session, each step forgets the one before, and the pole falls after ${fellS} s`,
      forgetful.hasFallen,
    );
  },
});

/** Engines to be killed before this step. */
function killsBefore(step: number): readonly string[] {
  return step > 0 && step % STEPS_A_SECOND === 0 ? KILLS[(step / STEPS_A_SECOND - 1) % KILLS.length]! : [];
}

async function load(stage: Stage, page: Page): Promise<void> {
  const models = new ModelOperator(stage.system.adminAddress);
  try {
    const startedMs = performance.now();
    const { engines } = await models.load({ name: ROBOT, nir: writeNir(robotGraph()), manifest: ROBOT_MANIFEST });
    const tookMs = (performance.now() - startedMs).toFixed(0);
    page.say(
      `A network is written as a NIR file. ${tookMs} ms later ${engines.length} engines serve it, without a restart.`,
    );
  } finally {
    models.close();
  }
}

/** The main ride: in a session, in real time, drawn while it runs. */
async function show(stage: Stage, page: Page, killer: Killer, steps: number): Promise<Ride> {
  const world = new CartPole(SEED);
  const live = page.live();
  const done = await ride(stage.system, world, {
    ...{ steps, session: 'robot-7', stepMs: STEP_MS },
    before: (step) => {
      for (const id of killsBefore(step)) {
        if (killer.kill(id) && live === undefined) page.say(`${clock(step)}  kill -9 ${id}`);
      }
    },
    after: (step, { raster, answers }) => {
      const steers = answers.at(-1)!.engine!.engineId;
      if (live !== undefined && step % STEPS_A_FRAME === 0) {
        const engines = stage.system.pool.engines.map(({ id }) => ({
          id,
          isDown: killer.down.has(id),
          steers: id === steers,
        }));
        live.draw(screen(world, step, raster, engines));
      }
      if (live === undefined && step % STEPS_A_LINE === 0) page.say(oneLine(world, step, steers));
    },
  });
  live?.end();
  return done;
}

function report(page: Page, { answers, tookMs, hasFallen, failure }: Ride, kills: number, steps: number): void {
  const engines = answers.map(({ engine }) => engine!.engineId);
  const moves = engines.filter((id, step) => step > 0 && id !== engines[step - 1]).length;
  const onTime = tookMs.filter((ms) => ms <= STEP_MS).length / tookMs.length;
  page.say('');
  page.say(
    `${(onTime * 100).toFixed(1)} % of the steps were answered within ${STEP_MS} ms; the slowest took ` +
      `${Math.max(...tookMs).toFixed(0)} ms. The session moved between engines ${moves} times.`,
  );
  page.claim(
    `${kills} times an engine was killed, and all ${steps} steps were answered${failure && `: ${failure}`}`,
    failure === '',
  );
  page.claim(
    'each step was computed once, in order',
    answers.every(({ session }, step) => session?.step === step + 1),
  );
  page.claim(`the pole stood for all ${steps * STEP_S} s`, !hasFallen && answers.length === steps);
}

async function compare(stage: Stage, page: Page, done: Ride): Promise<void> {
  const whole = await askWhole(stage.system, done);
  const last = done.answers.at(-1);
  const isSame = last !== undefined && answerKey(last) === answerKey(whole);
  page.claim(
    `state ${hex64(last?.stateDigest ?? 0n)} and all spikes are those of one run of all steps on one engine (${whole.engine!.engineId})`,
    isSame,
  );
}

function answerKey({
  steps,
  stateDigest,
  spikeCounts,
  totalSpikes,
  synapticOperations,
}: Awaited<ReturnType<typeof askWhole>>): string {
  return [steps, stateDigest, spikeCounts, totalSpikes, synapticOperations].join(' ');
}

function clock(step: number): string {
  return `${(step * STEP_S).toFixed(1).padStart(4)} s`;
}
