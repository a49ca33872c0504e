// The router and engines of a checkout of this repository, as processes, and their CPU time.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type RunningSidecar, startSidecar } from '../support/sidecar.ts';

export interface Checkout {
  readonly address: string;
  /** CPU time of the router and of all its engines so far, microseconds. */
  cpuUs(): { readonly router: number; readonly engines: number };
  stop(): Promise<void>;
}

interface CheckoutOptions {
  readonly engines: number;
  /** Settings of the router, in addition to its engines and addresses. */
  readonly settings: Readonly<Record<string, unknown>>;
}

export async function startCheckout(root: string, { engines, settings }: CheckoutOptions): Promise<Checkout> {
  const binary = join(root, 'sidecar-cpp/build/release/tandem-engine');
  for (const needed of [binary, join(root, 'services/start.ts'), join(root, 'node_modules')]) {
    if (!existsSync(needed)) throw new Error(`${root} is not built: ${needed} is missing; run scripts/setup there`);
  }
  const models = join(root, 'deploy/models');
  const sidecars = await Promise.all(
    Array.from({ length: engines }, () => startSidecar(models, { command: [binary] })),
  );
  const stopEngines = (): Promise<unknown> => Promise.all(sidecars.map((sidecar) => sidecar.stop()));
  try {
    const router = await startRouter(root, sidecars, settings);
    const { pid } = router.child;
    return {
      address: router.address,
      cpuUs: () => ({ router: cpuUs(pid!), engines: sidecars.reduce((sum, sidecar) => sum + cpuUs(sidecar.pid), 0) }),
      stop: async () => {
        router.child.kill('SIGTERM');
        await router.exited;
        await stopEngines();
      },
    };
  } catch (error) {
    await stopEngines();
    throw error;
  }
}

interface RunningRouter {
  readonly child: ChildProcess;
  readonly exited: Promise<unknown>;
  readonly address: string;
}

async function startRouter(
  root: string,
  sidecars: readonly RunningSidecar[],
  settings: Readonly<Record<string, unknown>>,
): Promise<RunningRouter> {
  const config = join(mkdtempSync(join(tmpdir(), 'tandem-versus-')), 'router.yaml');
  const whole = {
    listen: '127.0.0.1:0',
    http_listen: 'off',
    log_level: 'error',
    local: { enabled: false },
    spawn: { count: 0 },
    sidecars: sidecars.map(({ address }, at) => ({ id: `engine-${at + 1}`, address })),
    ...settings,
  };
  writeFileSync(config, JSON.stringify(whole)); // JSON is YAML
  const child = spawn(process.execPath, [join(root, 'services/start.ts'), '--config', config], {
    cwd: root,
    env: { ...process.env, NODE_OPTIONS: '' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  createInterface({ input: child.stdout }).on('line', (line) => {
    const address = /^ {2}router\s+(\S+)/.exec(line)?.[1];
    if (address !== undefined) resolve(address);
  });
  void exited.then(() => reject(new Error(`the router of ${root} ended before it was ready`)));
  return { child, exited, address: await promise };
}

/** utime and stime, in hundredths of a second; see proc(5). The name ends with the last parenthesis. */
function cpuUs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const [utime, stime] = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, 13);
  return (Number(utime) + Number(stime)) * 10_000;
}
