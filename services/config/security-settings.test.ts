import { describe, expect, it } from '@jest/globals';
import { loadSettings } from './load.ts';

const load = (env: Record<string, string>): unknown => loadSettings({ env });
const CERT = { TANDEM_TLS_CERT: 'router.pem', TANDEM_TLS_KEY: 'router.key' };

describe('an address that other machines reach', () => {
  it.each([
    ['listen', 'TANDEM_LISTEN'],
    ['http_listen', 'TANDEM_HTTP_LISTEN'],
  ])('is refused for %s without TLS, and the error says what to set', (key, variable) => {
    expect(() => load({ [variable]: '0.0.0.0:50051' })).toThrow(
      `variable ${variable}: setting "${key}" is "0.0.0.0:50051"; it must be a loopback address such as ` +
        '"127.0.0.1:50051": other machines reach it, in plaintext. Set "tls.cert" and "tls.key", or write "insecure: true"',
    );
  });

  it.each([
    ['with TLS', { TANDEM_LISTEN: '0.0.0.0:50051', ...CERT }],
    ['with insecure: true', { TANDEM_LISTEN: '0.0.0.0:50051', TANDEM_INSECURE: 'true' }],
  ])('is accepted %s', (_how, env) => {
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

describe('admin.listen', () => {
  const OPERATOR = '[{name: ops, roles: [operate]}]';
  const address = { TANDEM_ADMIN_LISTEN: '127.0.0.1:50052' };

  it.each([
    ['without client certificates', { ...address, ...CERT, TANDEM_AUTH_CERTIFICATES: OPERATOR }, '"tls.client_ca"'],
    ['without an operator', { ...address, ...CERT, TANDEM_TLS_CLIENT_CA: 'ca.pem' }, '"auth.certificates"'],
  ])('is refused %s', (_what, env, key) => {
    expect(() => load(env)).toThrow(`setting ${key}`);
  });

  it.each([
    ['a Unix socket', { TANDEM_ADMIN_LISTEN: 'unix:/run/tandem/admin.sock' }],
    ['off', { TANDEM_ADMIN_LISTEN: 'off' }],
    [
      'an address with both',
      { ...address, ...CERT, TANDEM_TLS_CLIENT_CA: 'ca.pem', TANDEM_AUTH_CERTIFICATES: OPERATOR },
    ],
  ])('accepts %s', (_what, env) => {
    expect(() => load(env)).not.toThrow();
  });
});

describe('admin.engine_addresses', () => {
  it.each(['10.0.0.0/33', '10.0.0', '::1/129', 'a b', '*', '', '10.0.0.0/8/8'])('refuses "%s"', (rule) => {
    expect(() => load({ TANDEM_ADMIN_ENGINE_ADDRESSES: JSON.stringify([rule]) })).toThrow('admin.engine_addresses');
  });

  it('accepts networks, names and prefixes of socket paths', () => {
    const rules = ['10.0.0.0/8', '::1', 'engine', '*.engines.example', 'unix:/run/tandem/'];
    expect(() => load({ TANDEM_ADMIN_ENGINE_ADDRESSES: JSON.stringify(rules) })).not.toThrow();
  });
});

describe('sidecar_tls', () => {
  it.each([
    ['a certificate without a key', { TANDEM_SIDECAR_TLS_CERT: 'a.pem' }],
    ['a certificate without a CA', { TANDEM_SIDECAR_TLS_CERT: 'a.pem', TANDEM_SIDECAR_TLS_KEY: 'a.key' }],
  ])('is refused with %s', (_what, env) => {
    expect(() => load(env)).toThrow('setting "sidecar_tls.');
  });
});
