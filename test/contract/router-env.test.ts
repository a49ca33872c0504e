import { readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { expect, it } from '@jest/globals';

it('the image of the router has the environment of npm start', () => {
  const env = parseEnv(readFileSync('deploy/router.env', 'utf8'));
  const dockerfile = readFileSync('deploy/router.Dockerfile', 'utf8').split('\n');
  expect(Object.keys(env).toSorted()).toEqual(['MALLOC_ARENA_MAX', 'MALLOC_TRIM_THRESHOLD_', 'NODE_OPTIONS']);
  expect(dockerfile).toEqual(
    expect.arrayContaining(Object.entries(env).map(([name, value]) => `ENV ${name}=${value}`)),
  );
});
