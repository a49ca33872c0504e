import { expect, it } from '@jest/globals';
import { killRepeatedly } from '../learning/killed.ts';

it('a router that is killed while a student learns loses no answered commit and has no incomplete version', async () => {
  const seed = Date.now() % 1e6;
  const { problems } = await killRepeatedly(2, seed);
  expect({ seed, problems }).toEqual({ seed, problems: [] });
}, 180_000);
