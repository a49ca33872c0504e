import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { engineTls } from './engine-tls.ts';

const folder = mkdtempSync(join(tmpdir(), 'engine-tls-'));

function file(text: string): string {
  const path = join(folder, text);
  writeFileSync(path, text);
  return path;
}

const FILES = { ca: file('ca'), cert: file('cert'), key: file('key'), server_name: 'engine.local' };

describe('engineTls', () => {
  it('has the files, the name and TLS 1.3', () => {
    expect(engineTls(FILES, 'host:1')).toEqual({
      ...{ ca: Buffer.from('ca'), cert: Buffer.from('cert'), key: Buffer.from('key') },
      ...{ servername: 'engine.local', minVersion: 'TLSv1.3' },
    });
  });

  it('presents no certificate and sets no name if they are empty', () => {
    expect(engineTls({ ...FILES, cert: '', key: '', server_name: '' }, 'host:1')).toEqual({
      ...{ ca: Buffer.from('ca'), minVersion: 'TLSv1.3' },
    });
  });

  it.each([
    ['without files', undefined, 'host:1'],
    ['on a Unix socket', FILES, 'unix:/engine.sock'],
  ])('is plaintext %s', (_, files, address) => {
    expect(engineTls(files, address)).toBeUndefined();
  });

  it('fails if a file cannot be read', () => {
    expect(() => engineTls({ ...FILES, key: '/no/such/key' }, 'host:1')).toThrow('/no/such/key');
  });
});
