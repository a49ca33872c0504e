import { createHash } from 'node:crypto';
import { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { describe, expect, it } from '@jest/globals';
import { NO_LIMITS } from '../auth/caller-account.ts';
import { CallerAccounts } from '../auth/caller-accounts.ts';
import { Callers } from '../auth/callers.ts';
import { Metadata } from '../grpc/metadata.ts';
import { Authorizer } from './authorizer.ts';

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
function tlsSocket(name: string, isVerified: boolean): Socket {
  const certificate = { toLegacyObject: () => ({ subject: { CN: name } }) };
  const socket = Object.create(TLSSocket.prototype) as TLSSocket;
  return Object.assign(socket, { authorized: isVerified, getPeerX509Certificate: () => certificate });
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
});
