// The health checks of containers without a shell: each program checks itself.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import * as grpc from '@grpc/grpc-js';
import { execFile } from 'node:child_process';
import { HealthImplementation, type ServingStatus } from 'grpc-health-check';
import { run } from '../support/process.ts';
import { sidecarBinary, startSidecar, unusedSocket } from '../support/sidecar.ts';
import { SUPERSENSE } from '../support/models.ts';

let status: (now: ServingStatus) => void;
let server: grpc.Server;
let address: string;

beforeAll(async () => {
  const health = new HealthImplementation({ '': 'SERVING' });
  status = (now) => health.setStatus('', now);
  server = new grpc.Server();
  health.addToServer(server);
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
  address = `127.0.0.1:${port}`;
});

afterAll(() => {
  server.forceShutdown();
});

interface Checked {
  readonly code: number | string | null | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

function engineCheck(args: string[], env: Record<string, string> = {}): Promise<Checked> {
  return new Promise((resolve) => {
    const options = { env: { ...process.env, ...env } };
    execFile(sidecarBinary(), ['--check-health', ...args], options, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : error.code, stdout, stderr }),
    );
  });
}

const routerCheck = (...args: string[]): Promise<Checked> => run('services/cli/main.ts', ['health', ...args]).finished;

describe('tandem-engine --check-health', () => {
  it('exits with 0 if the server answers SERVING', async () => {
    status('SERVING');
    expect(await engineCheck([address])).toMatchObject({ code: 0, stderr: '' });
  });

  it('exits with 1 and says so if it answers NOT_SERVING', async () => {
    status('NOT_SERVING');
    const { code, stderr } = await engineCheck([address]);
    expect([code, stderr]).toEqual([
      1,
      `tandem-engine: "${address}" is not serving: it drains, still starts, or holds no usable model; its log says which\n`,
    ]);
  });

  it('exits with 1 and says what to check if no server answers', async () => {
    const { code, stderr } = await engineCheck(['127.0.0.1:1']);
    expect([code, stderr]).toEqual([1, expect.stringMatching(/no health answer from "127\.0\.0\.1:1".*--listen/)]);
  });

  it('uses the address of --listen by default, also a Unix socket', async () => {
    const sidecar = await startSidecar(SUPERSENSE, { listen: unusedSocket() });
    try {
      expect(await engineCheck([], { TANDEM_ENGINE_LISTEN: sidecar.address })).toMatchObject({ code: 0, stderr: '' });
    } finally {
      await sidecar.stop();
    }
  });
});

describe('npx tandem health', () => {
  it('exits with 0 if the router answers SERVING', async () => {
    status('SERVING');
    expect(await routerCheck('--address', address)).toMatchObject({ code: 0, stdout: `${address} says SERVING\n` });
  });

  it('exits with 1 and says where to find the cause if it answers NOT_SERVING', async () => {
    status('NOT_SERVING');
    const { code, stdout } = await routerCheck('--address', address);
    expect([code, stdout]).toEqual([1, expect.stringMatching(/says NOT_SERVING; .*\/readyz/)]);
  });

  it('exits with 3 if no router answers', async () => {
    const { code, stderr } = await routerCheck('--address', '127.0.0.1:1');
    expect([code, stderr]).toEqual([3, expect.stringMatching(/no router answers at 127\.0\.0\.1:1/)]);
  });

  it('prints JSON for programs', async () => {
    status('SERVING');
    expect(JSON.parse((await routerCheck('--address', address, '--json')).stdout)).toEqual({
      status: 'SERVING',
      address,
    });
  });
});
