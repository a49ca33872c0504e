// A complete system for a test: router, local engine and real C++ sidecars, on addresses that the system chooses.
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as grpc from '@grpc/grpc-js';
import { pino } from 'pino';
import { promised } from './promised.ts';
import type { Log } from '../../services/telemetry/log.ts';
import { type Settings, settingsSchema } from '../../services/config/schema.ts';
import {
  ReasonRequest,
  type ReasonResponse,
  ReasoningServiceClient,
} from '../../services/generated/tandem/v1/reasoning.ts';
import { type Tandem, start } from '../../services/main.ts';
import { SUPERSENSE } from './models.ts';
import { edgeUnderTest } from './serve.ts';

export interface System extends Tandem {
  readonly client: ReasoningServiceClient;
  /** Its settings. */
  readonly settings: Settings;
  /** One Reason call; rejects with the client library's error. */
  reason(request: Partial<ReasonRequest>, options?: grpc.CallOptions): Promise<ReasonResponse>;
}

export async function startSystem(
  over: Record<string, unknown> = {},
  log: Log = pino({ level: 'silent' }),
): Promise<System> {
  const { spawn, agents, learning, operations, ...rest } = over;
  const folder = mkdtempSync(join(tmpdir(), 'tandem-system-'));
  const settings: Settings = settingsSchema.parse({
    models_dir: SUPERSENSE,
    listen: '127.0.0.1:0',
    http_listen: '127.0.0.1:0',
    edge: edgeUnderTest,
    admin: { listen: `unix:${join(folder, 'admin', 'router.sock')}` },
    spawn: { count: 2, socket_dir: folder, ...(spawn as object) },
    // Without files that another router or a user has left in this clone.
    agents: { corpus_dir: join(folder, 'corpora'), ...(agents as object) },
    learning: { dir: join(folder, 'learning'), ...(learning as object) },
    operations: { file: join(folder, 'operations.json'), ...(operations as object) },
    ...rest,
  });
  const tandem = await start(settings, log, () => undefined);
  const client = new ReasoningServiceClient(tandem.address, grpc.credentials.createInsecure());
  return {
    ...tandem,
    client,
    settings,
    reason: (request, options = {}) =>
      promised((done) => client.reason(ReasonRequest.fromPartial(request), new grpc.Metadata(), options, done)),
    stop: async () => {
      client.close();
      await tandem.stop();
    },
  };
}
