import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { makePrivateFolder } from './private-folder.ts';

let dir: string;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'tandem-private-'));
});

afterEach(() => {
  jest.restoreAllMocks();
  rmSync(dir, { recursive: true, force: true });
});

function make(name: string): string {
  const folder = join(dir, name);
  makePrivateFolder(`unix:${folder}/s`, join(folder, 's'));
  return folder;
}

describe('makePrivateFolder', () => {
  it('creates a folder that only its owner may enter', () => {
    expect(statSync(make('a/b')).mode & 0o777).toBe(0o700);
  });

  it('accepts such a folder that is there already', () => {
    expect(make('a')).toBe(make('a'));
  });

  it.each([0o701, 0o710, 0o704, 0o777])('refuses a folder with mode %o, with the command that closes it', (mode) => {
    mkdirSync(join(dir, 'open'));
    chmodSync(join(dir, 'open'), mode);
    expect(() => make('open')).toThrow(/other users may enter .*; run "chmod 700 /);
  });

  it('refuses a folder that belongs to another user', () => {
    make('theirs');
    jest.spyOn(process as Required<typeof process>, 'getuid').mockReturnValue(statSync(dir).uid + 1);
    expect(() => make('theirs')).toThrow('is not a folder of this user');
  });

  it('refuses a symbolic link, since another user may change its target', () => {
    symlinkSync(make('real'), join(dir, 'link'));
    expect(() => make('link')).toThrow('is not a folder of this user');
  });

  it('reports a folder that cannot be created', () => {
    writeFileSync(join(dir, 'file'), '');
    expect(() => make('file/a')).toThrow(/ENOTDIR.*; set "admin.listen" to a socket in another folder, or "off"/);
  });
});
