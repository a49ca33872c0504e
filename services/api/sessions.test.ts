import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import * as grpc from '@grpc/grpc-js';
import { openSession } from '../../test/fakes/open-session.ts';
import { sessionLimits } from '../../test/fakes/router-parts.ts';
import { promised } from '../../test/support/promised.ts';
import { refusalOf } from '../../test/support/refusal.ts';
import { type Served, serve } from '../../test/support/serve.ts';
import {
  type EndSessionResponse,
  type ListSessionsResponse,
  SessionServiceClient,
} from '../generated/tandem/v1/sessions.ts';
import { SessionStore } from '../sessions/session-store.ts';
import { Metrics } from '../telemetry/metrics.ts';
import { OpenCalls } from './open-calls.ts';
import { sessionMethods } from './sessions.ts';

let nowMs = 0;
const clock = { now: () => nowMs, every: () => () => undefined };
const events = { ended: () => undefined, refused: () => undefined };
const store = new SessionStore(sessionLimits(), events, clock);
let server: Served;
let client: SessionServiceClient;

beforeAll(async () => {
  for (const id of ['first', 'second', 'third']) {
    openSession(store, id);
    nowMs += 1_000;
  }
  const options = {
    timeoutMs: 10_000,
    onInternalError: () => undefined,
    observer: new Metrics(),
    calls: new OpenCalls(),
  };
  server = await serve(sessionMethods(store, options));
  client = new SessionServiceClient(server.address, grpc.credentials.createInsecure());
});

afterAll(() => {
  client.close();
  server.stop();
});

function list(pageSize: number, pageToken = ''): Promise<ListSessionsResponse> {
  return promised((done) => client.listSessions({ pageSize, pageToken }, done));
}

describe('SessionService', () => {
  it('lists sessions with their ages in seconds, the newest first', async () => {
    const { sessions, open } = await list(0);
    expect(sessions.map(({ id, ageS, idleS }) => [id, ageS, idleS])).toEqual([
      ['third', 1, 1],
      ['second', 2, 2],
      ['first', 3, 3],
    ]);
    expect(open).toBe(3);
  });

  it('lists them in pages', async () => {
    const first = await list(2);
    const second = await list(2, first.nextPageToken);
    expect([first, second].map(({ sessions }) => sessions.map(({ id }) => id))).toEqual([
      ['third', 'second'],
      ['first'],
    ]);
    expect(second.nextPageToken).toBe('');
  });

  it('has no token for a page that holds the rest', async () => {
    expect((await list(3)).nextPageToken).toBe('');
    expect((await list(1_000)).sessions).toHaveLength(3);
  });

  it('shows the model, the work and the memory of a session', async () => {
    const { sessions, bytes } = await list(0);
    expect(sessions[0]).toMatchObject({
      ...{ model: 'm', modelVersion: 1, engineId: 'e1', step: 16, messages: 1n, waiting: 0, caller: '' },
    });
    const all = sessions.map((session) => session.bytes);
    expect(Math.min(...all.map(Number))).toBeGreaterThan(0);
    expect(bytes).toBe(all.reduce((sum, each) => sum + each));
  });

  it('refuses to end a session without a name', async () => {
    const ended = promised<EndSessionResponse>((done) => client.endSession({ id: '', caller: '' }, done));
    expect(await refusalOf(ended)).toMatchObject({ reason: 'INVALID_FIELD', field: 'id' });
  });

  it.each([
    ['a page that is too large', 1_001, '', 'page_size'],
    ['a token that is none', 0, 'x', 'page_token'],
    ['a token that is 0', 0, '0', 'page_token'],
    ['a token that is too long', 0, '1'.repeat(17), 'page_token'],
  ])('refuses %s', async (_, pageSize, pageToken, field) => {
    expect((await refusalOf(list(pageSize, pageToken))).field).toBe(field);
  });

  it('ends a session, and says that it does not know it afterwards', async () => {
    const end = (): Promise<EndSessionResponse> => {
      return promised((done) => client.endSession({ id: 'first', caller: '' }, done));
    };
    expect((await end()).session?.id).toBe('first');
    expect((await refusalOf(end())).reason).toBe('SESSION_UNKNOWN');
  });
});
