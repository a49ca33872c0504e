import { createHash } from 'node:crypto';
import { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { NO_LIMITS } from '../auth/caller-account.ts';
import { CallerAccounts } from '../auth/caller-accounts.ts';
import { Callers } from '../auth/callers.ts';
import { RouterError } from '../core/errors.ts';
import { Metadata } from '../grpc/metadata.ts';
import { Authorizer, namesIn } from './authorizer.ts';

const REASON = '/tandem.v1.ReasoningService/Reason';
const sha256 = createHash('sha256').update('secret').digest('hex');
const nobody = new Callers({ tokens: [], certificates: [] });
const callers = new Callers({
  tokens: [{ name: 'robot', sha256, roles: ['reason'] }],
  certificates: [{ name: 'camera.example', roles: ['reason'] }],
});
const withToken = (): Metadata => Metadata.of({ authorization: 'Bearer secret' });

function authorizer(): Authorizer {
  return new Authorizer(callers, new CallerAccounts(NO_LIMITS));
}

function kindOf(subject: Authorizer, metadata: Metadata, socket = new Socket()): string | undefined {
  return subject.check(REASON, metadata, socket)?.kind;
}

/** A connection with a client certificate of this name. `isVerified`: signed by a CA of the settings. */
function tlsSocket(name: string, isVerified: boolean, onRead: () => unknown = () => undefined): Socket {
  const getPeerX509Certificate = (): object => {
    onRead();
    return { toLegacyObject: () => ({ subject: { CN: name } }) };
  };
  const socket = Object.create(TLSSocket.prototype) as TLSSocket;
  return Object.assign(socket, { authorized: isVerified, getPeerX509Certificate });
}

describe('Authorizer', () => {
  it('allows a call with a token of a listed caller', () => {
    const subject = authorizer();
    const metadata = withToken();
    expect(kindOf(subject, metadata)).toBeUndefined();
    expect(subject.accountOf(REASON, metadata, new Socket())?.name).toBe('robot');
  });

  it('refuses a call with two tokens, though both are valid', () => {
    const metadata = new Metadata(['authorization', 'Bearer secret', 'authorization', 'Bearer secret']);
    expect(kindOf(authorizer(), metadata)).toBe('BAD_CREDENTIALS');
  });

  it('identifies equal headers of a connection once', () => {
    const subject = authorizer();
    const metadata = withToken();
    kindOf(subject, metadata);
    metadata.get = () => {
      throw new Error('read again');
    };
    expect(kindOf(subject, metadata)).toBeUndefined();
  });

  it('refuses a caller that the settings no longer list, though it has identified its headers before', () => {
    const subject = authorizer();
    const metadata = withToken();
    expect(kindOf(subject, metadata)).toBeUndefined();
    subject.configure(new Callers({ tokens: [], certificates: [{ name: 'camera.example', roles: ['reason'] }] }));
    expect(kindOf(subject, metadata)).toBe('BAD_CREDENTIALS');
  });

  it('identifies a caller by its client certificate, if a CA of the settings signed it', () => {
    expect(
      [true, false].map((isVerified) => kindOf(authorizer(), new Metadata(), tlsSocket('camera.example', isVerified))),
    ).toEqual([undefined, 'NO_CREDENTIALS']);
  });

  it('needs no credentials for calls to models if no caller is listed, and refuses administrative ones', () => {
    const subject = new Authorizer(nobody, new CallerAccounts(NO_LIMITS));
    const administrative = '/tandem.v1.ModelService/LoadModel';
    expect(kindOf(subject, new Metadata())).toBeUndefined();
    expect(subject.check(administrative, new Metadata(), new Socket())?.kind).toBe('ADMIN_FORBIDDEN');
  });

  it('requires credentials only if a caller is listed, and knows the callers that are', () => {
    const subject = authorizer();
    expect([subject.isRequired, subject.knows('robot'), subject.knows('x')]).toEqual([true, true, false]);
    subject.configure(nobody);
    expect([subject.isRequired, subject.knows('robot')]).toEqual([false, false]);
  });

  it('allows anybody to call what probes call, without an account', () => {
    const health = '/grpc.health.v1.Health/Check';
    const subject = authorizer();
    expect(subject.check(health, new Metadata(), new Socket())).toBeUndefined();
    expect(subject.accountOf(health, withToken(), new Socket())).toBeUndefined();
  });

  it('refuses a caller without the role, and a method that nobody may call', () => {
    const [operate, unknown] = ['/tandem.v1.ModelService/LoadModel', '/tandem.v1.ModelService/Other'].map((path) =>
      authorizer().check(path, withToken(), new Socket()),
    );
    expect(operate).toMatchObject({ kind: 'ROLE_MISSING', metadata: { caller: 'robot', roles: 'operate' } });
    expect(operate!.message).toContain('it needs the role operate');
    expect(unknown).toMatchObject({ kind: 'ROLE_MISSING', metadata: { caller: 'robot', roles: '' } });
    expect(unknown!.message).toContain('no role may make it');
  });

  it('reads the names of a client certificate once', () => {
    let reads = 0;
    const socket = tlsSocket('camera.example', true, () => (reads += 1));
    const subject = authorizer();
    expect([1, 2].map(() => kindOf(subject, new Metadata(), socket))).toEqual([undefined, undefined]);
    expect(reads).toBe(1);
  });
});

describe('the account of a call', () => {
  const at = (remoteAddress: string | undefined): Socket =>
    Object.defineProperty(new Socket(), 'remoteAddress', { value: remoteAddress, configurable: true });

  it('is that of the address of a caller without a name, found once for a connection', () => {
    const subject = new Authorizer(nobody, new CallerAccounts(NO_LIMITS));
    const socket = at('10.0.0.1');
    const account = subject.accountOf(REASON, new Metadata(), socket);
    expect(account!.name).toBe('10.0.0.1');
    Object.defineProperty(socket, 'remoteAddress', { value: '10.0.0.2' });
    expect(subject.accountOf(REASON, new Metadata(), socket)).toBe(account);
    expect(subject.accountOf(REASON, new Metadata(), at(undefined))!.name).toBe('local');
  });

  it('is shared by all connections of an address, and apart from that of connections without a caller', () => {
    const subject = new Authorizer(nobody, new CallerAccounts(NO_LIMITS));
    const account = subject.accountOf(REASON, new Metadata(), at('10.0.0.1'));
    const stranger = subject.strangerAt(at('10.0.0.1'));
    expect(subject.accountOf(REASON, new Metadata(), at('10.0.0.1'))).toBe(account);
    expect(subject.strangerAt(at('10.0.0.1'))).toBe(stranger);
    expect([stranger.name, stranger === account]).toEqual(['10.0.0.1', false]);
    expect(subject.strangerAt(at(undefined)).name).toBe('local');
  });
});

describe('an HTTP request', () => {
  const limits = { ...NO_LIMITS, maxCalls: 1, perS: 1 };
  let subject: Authorizer;

  beforeEach(() => {
    const watcher = { name: 'watcher', sha256: createHash('sha256').update('watch').digest('hex') };
    const tokens = [
      { name: 'robot', sha256, roles: ['reason'] as const },
      { ...watcher, roles: ['observe'] as const },
    ];
    subject = new Authorizer(new Callers({ tokens, certificates: [] }), new CallerAccounts(NO_LIMITS));
  });

  /** The kind of the refusal, or the name of the caller. */
  function outcomeOf(authorization: string | undefined, need: 'read' | 'reason'): string | undefined {
    const result = subject.checkHttp(authorization, need, '10.0.0.1');
    return result instanceof RouterError ? result.kind : result?.name;
  }

  const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`;
  const longest = basic(`${'x'.repeat(1_529)}:secret`);

  it.each<[string, 'read' | 'reason', string | undefined, string | undefined]>([
    ['a token that may reason', 'reason', 'robot', 'Bearer secret'],
    ['a token that may reason', 'read', 'ROLE_MISSING', 'Bearer secret'],
    ['a token that may observe', 'read', undefined, 'Bearer watch'],
    ['a token that may observe', 'reason', 'ROLE_MISSING', 'Bearer watch'],
    ['the token as a password', 'reason', 'robot', basic('anybody:secret')],
    ['the token as a password, without a user', 'reason', 'robot', basic(':secret')],
    ['the scheme in another case', 'reason', 'robot', basic(':secret').replace('Basic', 'basic')],
    ['the longest user and password', 'reason', 'robot', longest],
    ['one character more', 'reason', 'BAD_CREDENTIALS', `${longest}A`],
    ['the token as a user', 'reason', 'BAD_CREDENTIALS', basic('secret:')],
    ['a password without a colon', 'reason', 'BAD_CREDENTIALS', basic('secret')],
    ['another password', 'reason', 'BAD_CREDENTIALS', basic(':x')],
    ['no credentials', 'reason', 'NO_CREDENTIALS', undefined],
    ['no credentials', 'read', 'NO_CREDENTIALS', undefined],
  ])('with %s, to %s: %s', (_, need, result, authorization) => {
    expect(outcomeOf(authorization, need)).toBe(result);
  });

  it('needs no credentials if no caller is listed, and counts for its address', () => {
    subject = new Authorizer(nobody, new CallerAccounts(NO_LIMITS));
    expect([outcomeOf(undefined, 'read'), outcomeOf(undefined, 'reason')]).toEqual([undefined, '10.0.0.1']);
  });

  it('counts for its caller as a call that has ended', () => {
    const accounts = new CallerAccounts({ ...NO_LIMITS, maxCalls: 1 });
    subject = new Authorizer(callers, accounts);
    expect([1, 2].map(() => outcomeOf('Bearer secret', 'reason'))).toEqual(['robot', 'robot']);
    expect([accounts.counts.get('robot')!.calls, accounts.of('robot', '').isIdle]).toEqual([2, true]);
  });

  it('is refused above the limits of its caller', () => {
    subject = new Authorizer(callers, new CallerAccounts(limits));
    expect([1, 2].map(() => outcomeOf('Bearer secret', 'reason'))).toEqual(['robot', 'CALLER_LIMIT']);
  });
});

describe('namesIn', () => {
  it.each<[Parameters<typeof namesIn>[0], string[]]>([
    [undefined, []],
    [{ subject: {} }, []],
    [{ subject: { CN: 'a' } }, ['a']],
    [{ subject: { CN: ['a', 'b'] } }, ['a', 'b']],
    [{ subject: { CN: 'a' }, subjectaltname: 'DNS:b, IP Address:10.0.0.1, DNS:a' }, ['b', 'a']],
    [{ subjectaltname: 'DNS:"a, DNS:b"' }, []],
  ])('of %j are %j', (certificate, names) => {
    expect(namesIn(certificate)).toEqual(names);
  });
});
