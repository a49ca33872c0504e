// One engine of three refuses every input with a false reason.
import { REFUSALS } from '../fakes/lies.ts';
import { WRONG_ENGINE_SETTINGS, playLies } from './judging.ts';
import type { Scenario } from './scenario.ts';

const REQUESTS = 4_500;

export const refusing: Scenario = {
  name: 'refusing',
  fault: 'one engine of three refuses valid inputs, with each kind of refusal',
  settings: WRONG_ENGINE_SETTINGS,
  bar: 'REDUNDANT: 0 wrong, 0 failed; out within 10 dissents; without a vote 0 wrong refusals',
  run: (stage) => playLies(stage, REFUSALS, REQUESTS),
};
