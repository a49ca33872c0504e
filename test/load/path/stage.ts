// The measured programs: two sidecars, and the router and its peers with the same two. The router and each peer use one
// CPU, the load generator the other one, and the engines the rest of both.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pin } from '../../support/pin.ts';
import { startRouter } from '../../support/router-process.ts';
import { startSidecar } from '../../support/sidecar.ts';
import type { LoadTarget } from './generator.ts';
import { PEERS } from './peers.ts';
import { infer, reasonUncached } from './requests.ts';

export interface Subject {
  readonly name: string;
  /** The process whose CPU time and memory count; undefined: the engines alone. */
  readonly pid: number | undefined;
  readonly target: LoadTarget;
}

export interface Stage {
  /** The first one is the engines alone, the last one the router. */
  readonly subjects: readonly Subject[];
  readonly engines: readonly string[];
  stop(): Promise<void>;
}

export const DIRECT = 'engine alone';
export const ROUTER = 'router';
const ROUTER_GRPC_JS = 'router, edge grpc-js';
const MODELS = join(import.meta.dirname, '../../../deploy/models');
const ENGINES = 2;
const PROXY_CPU = 0;

/** The names of the subjects. */
export const subjectNames = (): string[] => [DIRECT, ...PEERS.map(({ name }) => name), ROUTER_GRPC_JS, ROUTER];

export async function setStage(): Promise<Stage> {
  const folder = mkdtempSync(join(tmpdir(), 'tandem-bench-'));
  const stops: (() => Promise<unknown>)[] = [];
  const stop = async (): Promise<void> => {
    for (const each of stops.reverse()) await each();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    const engines: string[] = [];
    for (let each = 0; each < ENGINES; each += 1) {
      const engine = await startSidecar(MODELS);
      stops.push(() => engine.stop());
      engines.push(engine.address);
    }
    const subjects: Subject[] = [{ name: DIRECT, pid: undefined, target: { ...infer, address: engines[0]! } }];
    for (const { name, start } of PEERS) {
      const proxy = await start(folder, engines);
      stops.push(() => proxy.stop());
      await pin(proxy.pid, PROXY_CPU);
      subjects.push({ name, pid: proxy.pid, target: { ...infer, address: proxy.address } });
    }
    for (const name of subjectNames().filter((each) => each.startsWith(ROUTER))) {
      const router = await startRouter({
        ...(name === ROUTER_GRPC_JS ? { edge: 'grpc-js' } : {}),
        local: { enabled: false },
        sidecars: engines.map((address, at) => ({ id: `engine-${at + 1}`, address })),
      });
      stops.push(() => router.stop());
      await pin(router.pid, PROXY_CPU);
      subjects.push({ name, pid: router.pid, target: { ...reasonUncached, address: router.address } });
    }
    return { subjects, engines, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
