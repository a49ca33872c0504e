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

describe('a caller', () => {
  it('is named by its token', () => {
    expect(callers.identify({ authorization: 'Bearer secret', certificateNames: [] }).name).toBe('robot');
  });

  it('is named by its certificate', () => {
    const { name, roles } = callers.identify({ authorization: undefined, certificateNames: ['x', 'watcher.example'] });
    expect([name, roles]).toEqual(['watcher.example', ['observe']]);
  });

  it('may present a token and a certificate of the same name', () => {
    expect(callers.identify({ authorization: 'bearer secret', certificateNames: ['robot'] }).name).toBe('robot');
  });

  it('is refused with the certificate of another caller and a valid token', () => {
    const [kind, message] = refusal('Bearer secret', ['watcher.example']);
    expect([kind, message]).toEqual(['BAD_CREDENTIALS', expect.stringContaining('watcher.example')]);
  });

  it('is refused without credentials, with what to send', () => {
    expect(refusal(undefined)).toEqual(['NO_CREDENTIALS', expect.stringContaining('authorization: Bearer TOKEN')]);
  });

  it('is refused with a certificate that the settings do not list', () => {
    expect(refusal(undefined, ['stranger'])).toEqual(['NO_CREDENTIALS', expect.stringContaining('stranger')]);
  });

  it.each(['secret', 'Bearer', 'Bearer ', 'Bearer wrong', `Bearer ${'x'.repeat(2_000)}`, 'Basic c2VjcmV0', ''])(
    'is refused with authorization "%.20s"',
    (authorization) => {
      expect(refusal(authorization)[0]).toBe('BAD_CREDENTIALS');
    },
  );
});

describe('without callers in the settings', () => {
  it('no credentials are required', () => {
    expect(new Callers({ tokens: [], certificates: [] }).isRequired).toBe(false);
  });
});
