import { describe, expect, it } from '@jest/globals';
import { loadSettings } from './load.ts';

const load = (env: Record<string, string>): unknown => loadSettings({ env });
const CERT = { TANDEM_TLS_CERT: 'router.pem', TANDEM_TLS_KEY: 'router.key' };

describe('an address that other machines reach', () => {
  it.each([
    ['listen', 'TANDEM_LISTEN'],
    ['http_listen', 'TANDEM_HTTP_LISTEN'],
  ])('is refused for %s without TLS, with what to write', (key, variable) => {
    expect(() => load({ [variable]: '0.0.0.0:50051' })).toThrow(
      `variable ${variable}: setting "${key}" is "0.0.0.0:50051"; it must be a loopback address such as ` +
        '"127.0.0.1:50051": other machines reach it, in plaintext. Set "tls.cert" and "tls.key", or write "insecure: true"',
    );
  });

  it.each([
    ['with TLS', { TANDEM_LISTEN: '0.0.0.0:50051', ...CERT }],
    ['with insecure: true', { TANDEM_LISTEN: '0.0.0.0:50051', TANDEM_INSECURE: 'true' }],
  ])('is taken %s', (_how, env) => {
    expect(() => load(env)).not.toThrow();
  });
});

describe('tls', () => {
  it.each([
    ['a certificate without a key', { TANDEM_TLS_CERT: 'a.pem' }, 'setting "tls.key"'],
    ['a key without a certificate', { TANDEM_TLS_KEY: 'a.key' }, 'setting "tls.cert"'],
    ['a client CA without a certificate', { TANDEM_TLS_CLIENT_CA: 'ca.pem' }, 'setting "tls.cert"'],
  ])('is refused with %s', (_what, env, message) => {
    expect(() => load(env)).toThrow(message);
  });
});
