import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { licenceProblems } from '../../scripts/licences.ts';

const lockOf = (license: string | undefined): string =>
  JSON.stringify({ packages: { '': {}, 'node_modules/a': {}, 'node_modules/b/node_modules/c': { license } } });

describe('licences', () => {
  it('of all packages are allowed', () => {
    expect(licenceProblems(readFileSync('package-lock.json', 'utf8'))).toEqual([]);
  });

  it.each(['GPL-3.0', '(MIT AND GPL-2.0)', 'UNLICENSED', undefined])('such as %s are refused', (license) => {
    expect(licenceProblems(lockOf(license)).map((line) => line.split(' is not')[0])).toContain(
      `c: ${license ?? 'no licence'}`,
    );
  });

  it.each(['MIT', '(MIT OR GPL-2.0)', 'Apache-2.0 AND MIT'])('such as %s are allowed', (license) => {
    expect(licenceProblems(lockOf(license)).filter((line) => line.startsWith('c:'))).toEqual([]);
  });
});
