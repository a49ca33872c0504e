import { styleText } from 'node:util';
import { hex64 } from '../../../services/core/hex.ts';
import { type Vote, VotePolicy } from '../../../services/generated/tandem/v1/reasoning.ts';
import {
  BallotOutcome,
  CacheMode,
  type Grade,
  Strategy,
  VoteAgreement,
  gradeToJSON,
} from '../../../services/generated/tandem/v1/types.ts';
import { until } from '../../support/until.ts';
import type { Page } from '../page.ts';
import type { Scenario } from '../scenario.ts';

const LIAR = 'engine-3';
const MOST_VOTES = 40;
const REQUEST = {
  strategy: Strategy.STRATEGY_REDUNDANT,
  cache: CacheMode.CACHE_MODE_BYPASS,
  vote: VotePolicy.fromPartial({ participants: 4 }),
};
/** Waits for every ballot; a majority would not. */
const UNANIMOUS = {
  ...REQUEST,
  vote: VotePolicy.fromPartial({ participants: 4, agreement: VoteAgreement.VOTE_AGREEMENT_UNANIMOUS }),
};

export const vote: Scenario = {
  name: 'vote',
  title: 'Redundant verification: a wrong engine is caught',
  why: 'Engines agree exactly. So one flipped bit in the memory of one of them shows in the next vote.',
  async run(stage, page) {
    const item = stage.item(40);
    const honest = await stage.reason(item, UNANIMOUS);
    page.say(`“${item.text}”`);
    page.say(`Four engines vote: ${honest.label}, ${grade(honest.grade)}`);
    ballots(page, honest.vote!);
    page.claim('all four agree', agreeing(honest.vote!) === 4);

    page.say('');
    page.say(`Now bits flip in the memory of ${LIAR} while it computes, as with a failing memory module.`);
    stage.switchHarm();
    const wrong: string[] = [];
    let shown = false;
    for (let index = 0; index < MOST_VOTES && stage.system.pool.find(LIAR).state !== 'QUARANTINED'; index += 1) {
      const item = stage.item(index);
      const answer = await stage.reason(item, REQUEST);
      const truth = await stage.reason(item, { strategy: Strategy.STRATEGY_LOCAL_FIRST });
      if (answer.stateDigest !== truth.stateDigest) wrong.push(item.name);
      if (!shown && isDissenter(answer.vote!, LIAR)) {
        shown = true;
        page.say(`${answer.label}, ${grade(answer.grade)}`);
        ballots(page, answer.vote!);
      }
    }
    const isOut = await until(() => stage.system.pool.find(LIAR).state === 'QUARANTINED', {
      what: `${LIAR} to be quarantined`,
    });
    page.claim('no caller got a wrong answer', wrong.length === 0);
    page.claim(`${LIAR} was outvoted and named, and is out of service (QUARANTINED)`, shown && isOut);
    const location = (): string | undefined =>
      stage.events.events
        .map(({ text, data }) => data['difference'] ?? (text.includes('differ') ? text : ''))
        .find(Boolean);
    const where = (await until(location, { what: 'the comparison of the recordings' }).catch(() => undefined)) ?? '';
    page.claim('the router names the first difference:', where !== '');
    page.say(`  ${where.replace('dispute: ', '').split(';')[0]}`);

    stage.switchHarm();
    await stage.operator.readmit(LIAR);
    await until(() => stage.system.pool.find(LIAR).state === 'READY', {
      what: `${LIAR} to be ready`,
      timeoutMs: 20_000,
    });
    const again = await stage.reason(item, UNANIMOUS);
    page.claim('its memory works again: an operator readmits it, and all four agree', agreeing(again.vote!) === 4);
  },
};

const MARKS: Readonly<Partial<Record<BallotOutcome, string>>> = {
  [BallotOutcome.BALLOT_OUTCOME_AGREED]: styleText('green', 'agrees'),
  [BallotOutcome.BALLOT_OUTCOME_DISSENTED]: styleText('red', 'DISSENTS'),
};

function ballots(page: Page, { ballots }: Vote): void {
  for (const { engineId, stateDigest, outcome } of ballots) {
    page.say(`  ${engineId.padEnd(10)} ${hex64(stateDigest)}  ${MARKS[outcome] ?? 'too late to count'}`);
  }
}

function agreeing({ ballots }: Vote): number {
  return ballots.filter(({ outcome }) => outcome === BallotOutcome.BALLOT_OUTCOME_AGREED).length;
}

function isDissenter({ ballots }: Vote, id: string): boolean {
  return ballots.some(({ engineId, outcome }) => engineId === id && outcome === BallotOutcome.BALLOT_OUTCOME_DISSENTED);
}

function grade(value: Grade): string {
  return gradeToJSON(value).replace('GRADE_', '').toLowerCase();
}
