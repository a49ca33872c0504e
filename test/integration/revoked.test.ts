// A caller that is removed from setting `auth` while the router runs: its streams and sessions end at the reload.
import { createHash } from 'node:crypto';
import * as grpc from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { settingsSchema } from '../../services/config/schema.ts';
import { EventServiceClient } from '../../services/generated/tandem/v1/events.ts';
import { ReasonRequest, ReasoningServiceClient } from '../../services/generated/tandem/v1/reasoning.ts';
import { type Refusal, readRefusal } from '../support/refusal.ts';
import { EDGES } from '../support/serve.ts';
import { type System, startSystem } from '../support/system.ts';
import { until } from '../support/until.ts';

const sha256 = (token: string): string => createHash('sha256').update(token).digest('hex');
const caller = (name: string, ...roles: string[]): object => ({ name, roles, sha256: sha256(`token-${name}`) });
const leaver = caller('leaver', 'reason', 'observe');
const stayer = caller('stayer', 'reason', 'observe');
const tensor = { shape: [768], dtype: 'FP32', data: Buffer.alloc(3_072) };

describe.each(EDGES)('a removed caller, on edge %s', (edge) => {
  let system: System;
  let client: ReasoningServiceClient;
  let events: EventServiceClient;

  beforeEach(async () => {
    system = await startSystem({ edge, auth: { tokens: [leaver, stayer] }, spawn: { count: 0 } });
    client = new ReasoningServiceClient(system.address, grpc.credentials.createInsecure());
    events = new EventServiceClient(system.address, grpc.credentials.createInsecure());
  });

  afterEach(async () => {
    client.close();
    events.close();
    await system.stop();
  });

  function metadata(name: string): grpc.Metadata {
    const found = new grpc.Metadata();
    found.set('authorization', `Bearer token-${name}`);
    return found;
  }

  /** Resolves with the end of the stream. Its answers are counted. */
  function watch(stream: grpc.ClientReadableStream<unknown>): { answers: number; end: Refusal | 'OK' | undefined } {
    const seen: ReturnType<typeof watch> = { answers: 0, end: undefined };
    stream.on('data', () => (seen.answers += 1));
    stream.on('error', (error: grpc.ServiceError) => (seen.end = readRefusal(error)));
    stream.on('end', () => (seen.end ??= 'OK'));
    return seen;
  }

  /** Open, with one answer. */
  async function openStream(name: string): Promise<{ seen: ReturnType<typeof watch>; ask(): void; end(): void }> {
    const stream = client.reasonStream(metadata(name));
    const seen = watch(stream);
    const ask = (): void => void stream.write({ request: ReasonRequest.fromPartial({ tensor }) });
    ask();
    await until(() => seen.answers === 1, { what: 'an answer' });
    return { seen, ask, end: () => stream.cancel() };
  }

  const reload = (...tokens: object[]): Promise<unknown> =>
    system.reload(() => settingsSchema.parse({ ...system.settings, auth: { tokens } }));

  const refused = { code: 'UNAUTHENTICATED', reason: 'BAD_CREDENTIALS' };

  it('loses its streams, and others keep theirs', async () => {
    const left = await openStream('leaver');
    const stays = await openStream('stayer');
    const subscribed = watch(events.subscribe({ topics: [] } as never, metadata('leaver')));
    await reload(stayer);
    await until(() => left.seen.end !== undefined && subscribed.end !== undefined, { what: 'the end of its streams' });
    expect([left.seen.end, subscribed.end]).toMatchObject([refused, refused]);
    stays.ask();
    await until(() => stays.seen.answers === 2, { what: 'an answer on the other stream' });
    expect(stays.seen.end).toBeUndefined();
    stays.end();
  });

  it('that only loses a role loses the streams that need the role', async () => {
    const stream = await openStream('leaver');
    const subscribed = watch(events.subscribe({ topics: [] } as never, metadata('leaver')));
    await reload(stayer, { ...leaver, roles: ['reason'] });
    await until(() => subscribed.end !== undefined, { what: 'the end of its subscription' });
    expect(subscribed.end).toMatchObject({ code: 'PERMISSION_DENIED', reason: 'ROLE_MISSING' });
    stream.ask();
    await until(() => stream.seen.answers === 2, { what: 'an answer' });
    stream.end();
  });

  it('loses its sessions: a later caller with the same name has none of them', async () => {
    const ask = (name: string): Promise<unknown> =>
      new Promise((resolve, reject) => {
        const request = ReasonRequest.fromPartial({ tensor, session: { id: 'robot' } });
        client.reason(request, metadata(name), (error, response) => (error ? reject(error) : resolve(response)));
      });
    await ask('leaver');
    await ask('stayer');
    await reload(stayer);
    await reload(stayer, leaver);
    const { body } = await system.prometheus.exposition('text/plain');
    expect(body.split('\n').find((line) => line.startsWith('tandem_sessions '))).toBe('tandem_sessions 1');
  });

  it('loses its view of the dashboard', async () => {
    const response = await fetch(`http://${system.httpAddress}/api/stream`, {
      headers: { authorization: 'Bearer token-leaver' },
    });
    let hasEnded = false;
    const read = response.body!.pipeTo(new WritableStream()).then(() => (hasEnded = true));
    expect(response.status).toBe(200);
    await reload(stayer);
    await until(() => hasEnded, { what: 'the end of the stream' });
    await read;
  });
});
