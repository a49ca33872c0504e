import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { listModelFolders } from './model-folders.ts';
import { readRegularFile } from './regular-file.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tandem-file-'));
});

afterEach(() => rmSync(folder, { recursive: true }));

describe('readRegularFile', () => {
  it('returns the bytes of a file, also through a symbolic link', () => {
    writeFileSync(join(folder, 'file'), 'text');
    symlinkSync('file', join(folder, 'link'));
    expect(readRegularFile(join(folder, 'link'), 4).toString()).toBe('text');
  });

  it('throws ENOENT if there is no file', () => {
    const read = (): unknown => readRegularFile(join(folder, 'gone'), 4);
    expect(read).toThrow(`there is no file ${join(folder, 'gone')}`);
    expect(read).toThrow(expect.objectContaining({ code: 'ENOENT' }));
  });

  it('refuses a pipe at once', () => {
    execFileSync('mkfifo', [join(folder, 'pipe')]);
    expect(() => readRegularFile(join(folder, 'pipe'), 4)).toThrow('pipe is not a regular file');
  });

  it('refuses a device', () => {
    expect(() => readRegularFile('/dev/zero', 4)).toThrow('/dev/zero is not a regular file');
  });

  it('refuses a file above the limit', () => {
    writeFileSync(join(folder, 'file'), 'texts');
    expect(() => readRegularFile(join(folder, 'file'), 4)).toThrow('file is larger than the limit of 4 bytes');
  });

  it('is used to read a manifest', () => {
    execFileSync('mkdir', ['-p', join(folder, 'm/1')]);
    symlinkSync('/dev/zero', join(folder, 'm/model.yaml'));
    expect(listModelFolders(folder)).toMatchObject([
      { name: 'm', error: expect.stringContaining('model.yaml is not a regular file') },
    ]);
  });
});
