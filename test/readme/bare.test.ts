// The README's first two commands on a machine with only Node.js: set-up installs everything else.
import { execFileSync } from 'node:child_process';
import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { type Terminal, User } from './user.ts';

const SET_UP_MS = 3_000_000; // builds the C++ engine on two busy cores, and downloads every package
jest.setTimeout(SET_UP_MS);

const IMAGE = process.env['TANDEM_README_IMAGE']!;
const FOLDER = process.env['TANDEM_README_FOLDER']!;
const NAME = `tandem-bare-${process.pid}`;
const HOME = '/root/tandem';

const user = new User(FOLDER);
const docker = (...args: string[]): string => execFileSync('docker', args, { encoding: 'utf8' });
let start: Terminal;

beforeAll(() => {
  docker('run', '--detach', '--init', '--name', NAME, IMAGE, 'sleep', 'infinity');
  docker('cp', FOLDER, `${NAME}:${HOME}`); // the image has no git
});

afterAll(() => {
  docker('rm', '--force', NAME);
});

it('has no compiler, no git and no Python', () => {
  const found = docker(
    'exec',
    NAME,
    'bash',
    '-c',
    'for each in g++ cmake git python3; do command -v $each; done; true',
  );
  expect(found).toBe('');
});

it('answers after npm start', async () => {
  const beganMs = performance.now();
  const seconds = (): string => ((performance.now() - beganMs) / 1_000).toFixed(0);
  start = user.start(`docker exec -it -w ${HOME} ${NAME} npm start`);
  await start.prints(/Stop with Ctrl-C/, SET_UP_MS);
  process.stderr.write(`  set up and started in ${seconds()} s\n`);
  process.stderr.write(`${start.printed.match(/^\[\d\/\d\].* in \d+ s$/gm)?.join('\n')}\n`);
  expect(docker('exec', '-w', HOME, NAME, 'npx', 'tandem', 'reason', '--sample', 'dog')).toMatch(
    /^noun\.animal, confidence/m,
  );
  process.stderr.write(`  first answer ${seconds()} s after npm start in a fresh clone\n`);
});

it('stops on Ctrl-C, and leaves no process', async () => {
  expect(await start.ctrlC()).toBe(0);
  expect(start.printed).toMatch(/Stopped\.$/m);
  expect(docker('top', NAME, '-eo', 'pid,args')).not.toMatch(/tandem-engine|node/);
});
