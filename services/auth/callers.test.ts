import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { RouterError } from '../core/errors.ts';
import { Callers } from './callers.ts';

const sha256 = (token: string): string => createHash('sha256').update(token).digest('hex');
const callers = new Callers({
  tokens: [{ name: 'robot', sha256: sha256('secret'), roles: ['reason'] }],
  certificates: [
    { name: 'robot', roles: ['reason'] },
    { name: 'watcher.example', roles: ['observe'] },
  ],
});

function refusal(authorization: string | undefined, certificateNames: readonly string[] = []): [string, string] {
  try {
    callers.identify({ authorization, certificateNames });
  } catch (error) {
    if (error instanceof RouterError) return [error.kind, error.message];
  }
  throw new Error('it was not refused');
}

describe('Callers', () => {
  it('identifies a caller by its token', () => {
    expect(callers.identify({ authorization: 'Bearer secret', certificateNames: [] }).name).toBe('robot');
  });

  it('identifies a caller by its certificate', () => {
    const { name, roles } = callers.identify({ authorization: undefined, certificateNames: ['x', 'watcher.example'] });
    expect([name, roles]).toEqual(['watcher.example', ['observe']]);
  });

  it('accepts a token and a certificate of the same name', () => {
    expect(callers.identify({ authorization: 'bearer secret', certificateNames: ['robot'] }).name).toBe('robot');
  });

  it('refuses a valid token with the certificate of another caller', () => {
    const [kind, message] = refusal('Bearer secret', ['watcher.example']);
    expect([kind, message]).toEqual(['BAD_CREDENTIALS', expect.stringContaining('watcher.example')]);
  });

  it('refuses a call without credentials and says what to send', () => {
    expect(refusal(undefined)).toEqual(['NO_CREDENTIALS', expect.stringContaining('authorization: Bearer TOKEN')]);
  });

  it('refuses a certificate that is not in the settings', () => {
    expect(refusal(undefined, ['stranger'])).toEqual(['NO_CREDENTIALS', expect.stringContaining('stranger')]);
  });

  it.each(['secret', 'Bearer', 'Bearer ', 'Bearer wrong', `Bearer ${'x'.repeat(2_000)}`, 'Basic c2VjcmV0', ''])(
    'refuses authorization "%.20s"',
    (authorization) => {
      expect(refusal(authorization)[0]).toBe('BAD_CREDENTIALS');
    },
  );
});

describe('Callers without entries in the settings', () => {
  it('requires no credentials', () => {
    expect(new Callers({ tokens: [], certificates: [] }).isRequired).toBe(false);
  });
});
