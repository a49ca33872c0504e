// One engine of three gives answers that no run can have.
import { MALFORMED } from '../fakes/lies.ts';
import { WRONG_ENGINE_SETTINGS, playLies } from './judging.ts';
import type { Scenario } from './scenario.ts';

const REQUESTS = 6_000;

export const malformed: Scenario = {
  name: 'malformed',
  fault: 'one engine of three gives malformed answers, of every kind',
  settings: WRONG_ENGINE_SETTINGS,
  bar: 'REDUNDANT: 0 wrong, 0 failed; out within 10 dissents; without a vote 0 wrong, 0 failed',
  run: (stage) => playLies(stage, MALFORMED, REQUESTS),
};
