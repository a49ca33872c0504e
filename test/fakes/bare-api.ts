// The API of a router of which no part exists: for calls that end before they need one.
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Authorizer } from '../../services/api/authorizer.ts';
import { type ApiParts, ApiServer } from '../../services/api/server.ts';
import { CallerAccounts } from '../../services/auth/caller-accounts.ts';
import { Callers } from '../../services/auth/callers.ts';
import { ConnectionLimit } from '../../services/core/connection-limit.ts';
import { Metrics } from '../../services/telemetry/metrics.ts';
import { edgeUnderTest } from '../support/serve.ts';
import { fakeTracing } from './fake-parts.ts';

type ApiOptions = ConstructorParameters<typeof ApiServer>[1];

const UNLIMITED = { perS: 0, maxCalls: 0, maxItems: 0, maxBytes: 0 };

export function bareApi(over: Partial<ApiOptions> = {}, parts: Partial<ApiParts> = {}): ApiServer {
  const notReached = (): Promise<never> => Promise.reject(new Error('not reached'));
  return new ApiServer({ metrics: new Metrics(), tracing: fakeTracing(), agents: {}, ...parts } as ApiParts, {
    ...{ listen: '127.0.0.1:0', edge: edgeUnderTest, bridge: undefined, reflection: false },
    authorizer: new Authorizer(new Callers({ tokens: [], certificates: [] }), new CallerAccounts(UNLIMITED)),
    onCallRefused: () => undefined,
    adminListen: () => `unix:${join(mkdtempSync(join(tmpdir(), 'tandem-admin-')), 'admin.sock')}`,
    ...{ maxMessageBytes: 1_000, maxStreamsPerConnection: 100, connections: new ConnectionLimit(16) },
    ...{ maxBatchItems: 1, maxInFlight: 4_096, windowSize: 1, timeoutMs: 5_000, maxSubscribers: 1, publishPerS: 1 },
    ...{ onInternalError: () => undefined, onConnectionFault: () => undefined, trust: () => undefined },
    ...{ isReady: () => true, register: notReached, reload: notReached },
    ...over,
  });
}
