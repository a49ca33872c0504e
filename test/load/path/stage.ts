// What is measured together: two sidecars, and before the same two the router and its peers, each pinned to one CPU.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { settingsSchema } from '../../../services/config/schema.ts';
import { InferRequest } from '../../../services/generated/tandem/engine/v1/engine.ts';
import { PingRequest, ReasonRequest } from '../../../services/generated/tandem/v1/reasoning.ts';
import { CacheMode } from '../../../services/generated/tandem/v1/types.ts';
import { readHeldout } from '../../support/heldout.ts';
import { pin } from '../../support/pin.ts';
import { startRouter } from '../../support/router-process.ts';
import { type RunningSidecar, startSidecar } from '../../support/sidecar.ts';
import type { LoadTarget } from './h2load.ts';
import { PEERS } from './peers.ts';

export interface Subject {
  readonly name: string;
  /** The process whose CPU time and memory count; undefined: the engines alone. */
  readonly pid: number | undefined;
  readonly target: LoadTarget;
}

export interface Stage {
  readonly subjects: readonly Subject[];
  stop(): Promise<void>;
}

const MODELS = join(import.meta.dirname, '../../../deploy/models');
const ENGINES = 2;
/** Of the router and its peers. The load generator and the engines have the other one. */
const PROXY_CPU = 0;
export const LOAD_CPU = 1;

const [INPUT] = readHeldout();
const SHAPE = [768];
const INFER: Omit<LoadTarget, 'address'> = {
  path: '/tandem.engine.v1.EngineService/Infer',
  request: InferRequest.encode(
    InferRequest.fromPartial({ item: { model: 'supersense', shape: SHAPE, data: INPUT!.data } }),
  ).finish(),
  answerBytes: 100,
};
const REASON = '/tandem.v1.ReasoningService/Reason';

const reasonBytes = (cache: CacheMode): Uint8Array =>
  ReasonRequest.encode(
    ReasonRequest.fromPartial({ model: 'supersense', tensor: { shape: SHAPE, data: INPUT!.data }, cache }),
  ).finish();

export const UNCACHED: Omit<LoadTarget, 'address'> = {
  path: REASON,
  request: reasonBytes(CacheMode.CACHE_MODE_BYPASS),
  answerBytes: 100,
};
export const CACHED: Omit<LoadTarget, 'address'> = {
  path: REASON,
  request: reasonBytes(CacheMode.CACHE_MODE_USE),
  answerBytes: 100,
};
export const PING: Omit<LoadTarget, 'address'> = {
  path: '/tandem.v1.ReasoningService/Ping',
  request: PingRequest.encode({}).finish(),
  answerBytes: 4,
};

/** `names`: peers to start; the engines themselves and the router always are. */
export async function setStage(names: readonly string[]): Promise<Stage> {
  const folder = mkdtempSync(join(tmpdir(), 'tandem-bench-'));
  const stops: (() => Promise<unknown>)[] = [];
  const stop = async (): Promise<void> => {
    for (const each of stops.reverse()) await each();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    const engines: RunningSidecar[] = [];
    for (let each = 0; each < ENGINES; each += 1) {
      const engine = await startSidecar(MODELS);
      stops.push(() => engine.stop());
      engines.push(engine);
    }
    const addresses = engines.map(({ address }) => address);
    const subjects: Subject[] = [{ name: 'direct', pid: undefined, target: { ...INFER, address: addresses[0]! } }];
    for (const peer of PEERS.filter(({ name }) => names.includes(name))) {
      const proxy = await peer.start(folder, addresses);
      stops.push(() => proxy.stop());
      await pin(proxy.pid, PROXY_CPU);
      subjects.push({ name: peer.name, pid: proxy.pid, target: { ...INFER, address: proxy.address } });
    }
    for (const edge of 'edge' in settingsSchema.shape ? ['own', 'grpc-js'] : [undefined]) {
      const router = await startRouter({
        ...(edge === undefined ? {} : { edge }),
        local: { enabled: false },
        sidecars: addresses.map((address, at) => ({ id: `engine-${at + 1}`, address })),
      });
      stops.push(() => router.stop());
      await pin(router.pid, PROXY_CPU);
      const name = edge === 'grpc-js' ? 'router, edge grpc-js' : 'router';
      subjects.push({ name, pid: router.pid, target: { ...UNCACHED, address: router.address } });
    }
    return { subjects, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
