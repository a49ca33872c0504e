import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { copyFileSync, writeFileSync } from 'node:fs';
import { DevelopmentCa } from '../../test/support/certificates.ts';
import { type Certificate, Certificates } from './certificates.ts';

let ca: DevelopmentCa;
let renewed: Certificate[];
let failed: string[];
let certificates: Certificates | undefined;

beforeEach(() => {
  ca = new DevelopmentCa();
  renewed = [];
  failed = [];
});

afterEach(() => certificates?.stop());

function open(files = ca.tls): Certificates {
  return (certificates = new Certificates(files, {
    renewed: (certificate) => renewed.push(certificate),
    failed: (why) => failed.push(why),
  }));
}

describe('Certificates', () => {
  it('reads the files at once', () => {
    expect(open().current).toEqual({
      cert: ca.read('router.pem'),
      key: ca.read('router.key'),
      clientCa: ca.read('ca.pem'),
    });
  });

  it('names a missing file', () => {
    expect(() => open({ ...ca.tls, key: '/nowhere/router.key' })).toThrow('cannot read tls.key /nowhere/router.key');
  });

  it('refuses a key that does not match the certificate', () => {
    expect(() => open({ ...ca.tls, key: ca.file('client.key') })).toThrow(
      /tls\.cert .*router\.pem and tls\.key .*client\.key/,
    );
  });

  it('reads the files again when they have changed', () => {
    const files = open();
    ca.issue();
    files.check();
    expect(renewed).toEqual([{ cert: ca.read('router.pem'), key: ca.read('router.key'), clientCa: ca.read('ca.pem') }]);
    expect(files.current).toBe(renewed[0]);
  });

  it('does not read unchanged files again', () => {
    open().check();
    expect([renewed, failed]).toEqual([[], []]);
  });

  it('keeps the old files during a partial renewal and reports it once', () => {
    const files = open();
    const before = files.current;
    copyFileSync(ca.file('client.key'), ca.file('router.key'));
    files.check();
    files.check();
    expect([files.current, renewed, failed.length]).toEqual([before, [], 1]);
    copyFileSync(ca.file('client.pem'), ca.file('router.pem'));
    files.check();
    expect(renewed).toHaveLength(1);
  });

  it('keeps the old files if a file is damaged', () => {
    const files = open();
    writeFileSync(ca.file('router.pem'), 'no certificate');
    files.check();
    expect(failed).toEqual([expect.stringContaining('cannot be used together')]);
  });
});
