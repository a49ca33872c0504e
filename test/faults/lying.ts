// One engine of three is wrong, sometimes or always: its answer with true digests, its run with matching digests, or a
// weight in its memory with the true model id.
import { EngineState, type EngineStatus } from '../../services/generated/tandem/v1/engines.ts';
import { Strategy } from '../../services/generated/tandem/v1/types.ts';
import { type LoadResult, closedLoad } from '../support/load.ts';
import { until } from '../support/until.ts';
import { DISSENTS_BAR, NEVER_OUT, STAYS_OUT, dissentsOf, total, whileReadmitted, wrongOf } from './judging.ts';
import { type Scenario, failures } from './scenario.ts';
import type { Caller, Router, Stage } from './stage.ts';

interface Lie {
  readonly name: string;
  readonly fault: string;
}

interface Audit {
  readonly name: string;
  readonly engines: number;
  /** The index of the lying engine. */
  readonly position: number;
  readonly requests: number;
}

const LIES: readonly Lie[] = [
  { name: 'answer bit, 1 %', fault: 'answers=0.01' },
  { name: 'answer bit, 100 %', fault: 'answers=1' },
  { name: 'run bit, 1 %', fault: 'runs=0.01' },
  { name: 'run bit, 100 %', fault: 'runs=1' },
  { name: 'weight bit', fault: 'weights=1' },
];
/** The faults that an audit must find, at every index among the engines. */
const AUDITED = LIES.filter(({ fault }) => fault.endsWith('=1'));
const SECONDS = 28;
const IN_FLIGHT = 16;
const VOTES_BAR = 100_000;
const AUDIT_BAR = 200;

export const lying: Scenario = {
  name: 'lying',
  fault: 'one of three wrong in 1 % and 100 % of its answers, or in one bit of a weight',
  settings: { strategy: 'REDUNDANT' },
  bar: 'REDUNDANT: 0 wrong; out within 10 dissents; audit of 5 % finds it within 200 requests',
  async run(stage) {
    const truths = await stage.truths();
    const honest = await stage.sidecars(2);
    const more = await stage.sidecars(2);
    const refusals: Record<string, number> = {};
    const votes = [];
    const quarantines = [];
    const audits: Audit[] = [];
    for (const { name, fault } of LIES) {
      const [liar] = await stage.faulty(fault);
      const engines = [liar!, ...honest];

      // It must keep voting: otherwise the other votes would have only correct engines.
      let router = await stage.router({ ...this.settings, ...NEVER_OUT }, engines);
      const result = await votedWhileReadmitted(stage, router, refusals);
      const counts = {
        votes: result.requests.length,
        wrong: wrongOf(result.requests, truths),
        failed: failures(result.requests),
        dissents: dissentsOf(result),
      };
      votes.push({ name, ...counts });
      stage.progress(`${name}: ${JSON.stringify(counts)}`);
      await router.stop();

      router = await stage.router({ ...this.settings, ...STAYS_OUT }, engines);
      const out = await untilOut(stage, router, truths);
      quarantines.push({ name, ...out });
      stage.progress(`${name}: ${JSON.stringify(out)}`);
      await router.stop();

      // Every place of the liar, and five engines, too: 5 % of the requests in turn must not be one engine's alone.
      if (AUDITED.some((audited) => audited.fault === fault)) {
        const five = [...honest, ...more];
        for (const among of [engines, [...honest, liar!], [...five, liar!], [liar!, ...five]]) {
          const requests = await untilAudited(stage, among);
          audits.push({ name, engines: among.length, position: among.indexOf(liar!) + 1, requests });
        }
      }
      await liar!.kill();
    }

    const sent = total(votes.map((each) => each.votes));
    const wrong = total([...votes, ...quarantines].map((each) => each.wrong));
    const failed = total([...votes, ...quarantines].flatMap((each) => Object.values(each.failed)));
    const dissents = Math.max(...quarantines.map((each) => each.dissents));
    const audited = Math.max(...audits.map((each) => each.requests));
    const isOut = quarantines.every((each) => each.isOut);
    const auditsOf = (name: string): string =>
      `${name} after ${audits.flatMap((each) => (each.name === name ? [each.requests] : [])).join('/')}`;
    return {
      figures: { votes, refusals, quarantines, audits },
      measured:
        `${wrong} wrong and ${failed} failed of ${sent} votes with ${total(votes.map((each) => each.dissents))} dissents; ` +
        `out after ${quarantines.map((each) => each.dissents).join('/')} dissents; ` +
        `audit: ${AUDITED.map(({ name }) => auditsOf(name)).join(', ')} requests (of 3/3/5/5 engines)`,
      passed: wrong === 0 && isOut && dissents <= DISSENTS_BAR && audited <= AUDIT_BAR,
      missed: [
        ...(sent < VOTES_BAR ? [`${sent} of ${VOTES_BAR} votes (--count)`] : []),
        ...Object.entries(refusals).map(([reason, count]) => `${count} refused: ${reason}`),
      ],
    };
  },
};

/** Counts what is refused, by its reason without digests. */
async function votedWhileReadmitted(
  stage: Stage,
  router: Router,
  refusals: Record<string, number>,
): Promise<LoadResult> {
  const caller = stage.caller(router.address, ({ details }) => {
    const reason = details.replaceAll(/[0-9a-f]{16}/g, 'DIGEST').slice(0, 160);
    refusals[reason] = (refusals[reason] ?? 0) + 1;
  });
  return await whileReadmitted(router, () => loaded(stage, caller));
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

/** One after the other, so that no vote is open when the engine is quarantined. */
async function untilOut(stage: Stage, router: Router, truths: readonly string[]) {
  const load = closedLoad({ system: router, inputs: stage.inputs, total: 5_000, inFlight: 1 });
  const isOut = async (): Promise<boolean> =>
    (await router.operator.engine('engine-1')).state === EngineState.ENGINE_STATE_QUARANTINED;
  const out = await until(isOut, { what: 'its quarantine', timeoutMs: 20_000 }).catch(() => false);
  const result = await load.stop();
  return {
    isOut: out,
    dissents: dissentsOf(result),
    votes: result.requests.length,
    wrong: wrongOf(result.requests, truths),
    failed: failures(result.requests),
  };
}

/** Ordinary requests until an audit has contradicted the liar, or it is out for malformed answers; Infinity: none of 1,000. */
async function untilAudited(stage: Stage, engines: readonly { readonly address: string }[]): Promise<number> {
  const router = await stage.router({ vote: { audit_rate: 0.05 }, ...STAYS_OUT }, engines);
  const request = { strategy: Strategy.STRATEGY_ROUND_ROBIN };
  let sent = 0;
  let found = false;
  while (!found && sent < 1_000) {
    await closedLoad({ system: router, inputs: stage.inputs, request, total: 10, inFlight: 1 }).finished;
    sent += 10;
    const { votes } = await router.operator.metrics();
    // An answer that does not match its digests needs no audit: it is malformed.
    const isOut = ({ state }: EngineStatus): boolean => state === EngineState.ENGINE_STATE_QUARANTINED;
    found = (votes?.auditDisputes ?? 0n) > 0n || (await router.operator.engines()).some(isOut);
  }
  await router.stop();
  return found ? sent : Infinity;
}
