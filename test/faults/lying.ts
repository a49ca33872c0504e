// One engine of three is wrong, now and then or always, in its digest or behind an honest one.
import { EngineState } from '../../services/generated/tandem/v1/engines.ts';
import { BallotOutcome, Strategy } from '../../services/generated/tandem/v1/types.ts';
import { type Lie, addSpike, flipDigestBit } from '../fakes/lying-engine.ts';
import { Operator } from '../support/operator.ts';
import { type LoadResult, closedLoad } from '../support/load.ts';
import { until } from '../support/until.ts';
import { type Scenario, failures } from './scenario.ts';
import { type Caller, type Router, type Stage, told } from './stage.ts';

const LIES: readonly (readonly [string, Lie, number])[] = [
  ['digest, 1 %', flipDigestBit, 0.01],
  ['digest, 100 %', flipDigestBit, 1],
  ['answer, 1 %', addSpike, 0.01],
  ['answer, 100 %', addSpike, 1],
];
const SECONDS = 28;
const IN_FLIGHT = 16;
const DISSENTS_BAR = 10;
const AUDIT_BAR = 200;
/** Dissents come faster than the least watchful quarantine overlooks. */
const READMIT_EVERY_MS = 100;
const NEVER_OUT = { quarantine: { dissents: 1_000, window_ms: 1_000, sit_out_ms: 10, sit_out_max_ms: 10 } };
const STAYS_OUT = { quarantine: { sit_out_ms: 300_000 } };

export const lying: Scenario = {
  name: 'lying',
  fault: 'one of three wrong in 1 % and 100 % of its answers',
  settings: { strategy: 'REDUNDANT' },
  bar: 'REDUNDANT: 0 wrong; out within 10 dissents; audit of 5 % finds it within 200 requests',
  async run(stage) {
    const truths = await stage.truths();
    const [sidecar, ...honest] = await stage.sidecars(3);
    const liar = await stage.liar(sidecar!);
    const engines = [liar, ...honest];

    // It keeps lying all the while: were it put out, the rest would be voted among the honest.
    let router = await stage.router({ ...this.settings, ...NEVER_OUT }, engines);
    const operator = new Operator(router.address);
    const readmission = setInterval(() => void readmit(operator), READMIT_EVERY_MS);
    const reasons: Record<string, number> = {};
    const caller = stage.caller(router.address, ({ details }) => {
      const reason = details.replaceAll(/[0-9a-f]{16}/g, 'DIGEST').slice(0, 160);
      reasons[reason] = (reasons[reason] ?? 0) + 1;
    });
    const votes = [];
    for (const [name, lie, lieShare] of LIES) {
      Object.assign(liar, { lie, lieShare });
      const before = liar.counts.lied;
      const result = await loaded(stage, caller);
      const wrong = wrongOf(result, truths);
      votes.push({
        name,
        votes: result.requests.length,
        wrong,
        failed: failures(result.requests),
        lies: liar.counts.lied - before,
      });
      stage.progress(`${name}: ${wrong} wrong of ${result.requests.length}, ${result.failed.length} failed`);
    }
    clearInterval(readmission);
    operator.close();
    await router.stop();

    const quarantines = [];
    for (const [name, lie, lieShare] of LIES) {
      Object.assign(liar, { lie, lieShare });
      router = await stage.router({ ...this.settings, ...STAYS_OUT }, engines);
      quarantines.push({ name, ...(await untilOut(stage, router, truths)) });
      await router.stop();
    }

    // Every place of the liar, and five engines, too: 5 % of the requests in turn must not be one engine's alone.
    const audits = [];
    const more = await stage.sidecars(2);
    Object.assign(liar, { lie: flipDigestBit, lieShare: 1 });
    for (const among of [engines, [...honest, liar], [...honest, ...more, liar], [liar, ...honest, ...more]]) {
      audits.push({
        engines: among.length,
        place: among.indexOf(liar) + 1,
        requests: await untilAudited(stage, among),
      });
    }

    const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
    const total = sum(votes.map((each) => each.votes));
    const wrong = sum(votes.map((each) => each.wrong)) + sum(quarantines.map((each) => each.wrong));
    const failed = sum([...votes, ...quarantines].flatMap((each) => Object.values(each.failed)));
    const dissents = Math.max(...quarantines.map((each) => each.dissents));
    const audited = Math.max(...audits.map((each) => each.requests));
    const isOut = quarantines.every((each) => each.isOut);
    return {
      figures: { votes, refusals: reasons, quarantines, audits },
      measured:
        `${wrong} wrong and ${failed} failed of ${total} votes with ${sum(votes.map((each) => each.lies))} lies; out after ` +
        `${quarantines.map((each) => each.dissents).join('/')} dissents; ` +
        `audit: after ${audits.map((each) => each.requests).join('/')} requests (of 3/3/5/5 engines)`,
      passed: wrong === 0 && isOut && dissents <= DISSENTS_BAR && audited <= AUDIT_BAR,
      missed: [
        ...(total < 100_000 ? [`${total} of 100000 votes (--count)`] : []),
        ...Object.entries(reasons).map(([reason, count]) => `${count} refused: ${reason}`),
      ],
    };
  },
};

async function readmit(operator: Operator): Promise<void> {
  const { state } = await operator.engine('engine-1');
  if (state === EngineState.ENGINE_STATE_QUARANTINED) await operator.readmit('engine-1');
}

/** --count of them, or as many as fit, in equal parts. */
async function loaded(stage: Stage, caller: Caller): Promise<LoadResult> {
  const { count } = stage.options;
  const total = count === undefined ? Infinity : Math.ceil(count / LIES.length);
  const load = closedLoad({ system: caller, inputs: stage.inputs, total, inFlight: IN_FLIGHT });
  if (count !== undefined) return load.finished;
  const timer = setTimeout(() => void load.stop(), (SECONDS * 1_000) / LIES.length);
  const result = await load.finished;
  clearTimeout(timer);
  return result;
}

function wrongOf({ requests }: LoadResult, truths: readonly string[]): number {
  return requests.filter(({ response, input }) => response !== undefined && told(response) !== truths[input]).length;
}

/** One after the other, so that no vote is under way when the engine is put out. */
async function untilOut(stage: Stage, router: Router, truths: readonly string[]) {
  const load = closedLoad({ system: router, inputs: stage.inputs, total: 5_000, inFlight: 1 });
  const isOut = async (): Promise<boolean> =>
    (await router.operator.engine('engine-1')).state === EngineState.ENGINE_STATE_QUARANTINED;
  const out = await until(isOut, { what: 'its quarantine', timeoutMs: 20_000 }).catch(() => false);
  const result = await load.stop();
  const dissents = result.requests
    .flatMap(({ response }) => response?.vote?.ballots ?? [])
    .filter(({ outcome }) => outcome === BallotOutcome.BALLOT_OUTCOME_DISSENTED).length;
  const failed = failures(result.requests);
  return { isOut: out, dissents, votes: result.requests.length, wrong: wrongOf(result, truths), failed };
}

/** Ordinary requests until an audit has contradicted the liar; Infinity: none of 1,000. */
async function untilAudited(stage: Stage, engines: readonly { readonly address: string }[]): Promise<number> {
  const router = await stage.router({ vote: { audit_rate: 0.05 }, ...STAYS_OUT }, engines);
  const request = { strategy: Strategy.STRATEGY_ROUND_ROBIN };
  let sent = 0;
  let found = false;
  while (!found && sent < 1_000) {
    await closedLoad({ system: router, inputs: stage.inputs, request, total: 10, inFlight: 1 }).finished;
    sent += 10;
    const { votes } = await router.operator.metrics();
    found = (votes?.auditDisputes ?? 0n) > 0n;
  }
  await router.stop();
  return found ? sent : Infinity;
}
