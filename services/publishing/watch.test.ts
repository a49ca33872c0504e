import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { version } from '../../test/fakes/router-parts.ts';
import { until } from '../../test/support/until.ts';
import { ModelRepository } from '../models/repository.ts';
import type { LoadOutcome, UnloadOutcome } from './parts.ts';
import { RepositoryWatch } from './watch.ts';

let dir: string;
let requests: string[];
let watch: RepositoryWatch;

function put(path: string, text: string): void {
  mkdirSync(join(dir, path, '..'), { recursive: true });
  writeFileSync(join(dir, path), text);
}

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'tandem-watch-'));
  put('m/1/model.nir', 'one');
  requests = [];
  watch = new RepositoryWatch(dir, 10, {
    models: new ModelRepository([version(1)], 'm'),
    publisher: {
      load: ({ name, version, reload }) => {
        requests.push(`load ${name}/${version}${reload ? ' anew' : ''}`);
        return Promise.reject<LoadOutcome>(new Error('told by the publisher'));
      },
      unload: (name, version) => {
        requests.push(`unload ${name}/${version}`);
        return Promise.reject<UnloadOutcome>(new Error('told by the publisher'));
      },
    },
    onProblem: (why) => void requests.push(why),
  });
  watch.start();
});

afterEach(() => {
  watch.stop();
  rmSync(dir, { recursive: true, force: true });
});

describe('RepositoryWatch', () => {
  it('loads added, reloads changed and unloads removed versions', async () => {
    put('m/2/model.nir', 'two');
    await until(() => requests.includes('load m/2'), { what: 'the new version' });
    put('m/2/model.yaml', 'steps: 3');
    await until(() => requests.includes('load m/2 anew'), { what: 'the change' });
    rmSync(join(dir, 'm/1'), { recursive: true });
    await until(() => requests.includes('unload m/1'), { what: 'the end of version 1' });
    expect(requests).toEqual(['load m/2', 'load m/2 anew', 'unload m/1']);
  });

  it('ignores unloaded versions and other files', async () => {
    put('m/2/.unloaded', '');
    put('notes/readme.txt', 'hello');
    await watch.takeUp();
    expect(requests).toEqual([]);
  });
});
