// docker-compose.yml as a separate project, on ports that the system chooses.
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { until } from '../support/until.ts';

const ROOT = join(import.meta.dirname, '../..');
const exec = promisify(execFile);

export type Service = 'router' | 'engine' | 'jaeger' | 'prometheus';

/** The part of `docker inspect` that the tests use. */
interface Inspected {
  readonly Name: string;
  readonly Config: { readonly User: string; readonly Labels: Record<string, string> };
  readonly State: {
    readonly Status: string;
    readonly Pid: number;
    readonly ExitCode: number;
    readonly StartedAt: string;
    readonly OOMKilled: boolean;
    readonly Health?: { readonly Status: string };
  };
  readonly RestartCount: number;
  readonly NetworkSettings: { readonly Networks: Record<string, { readonly IPAddress: string }> };
}

export async function docker(...args: string[]): Promise<string> {
  return (await exec('docker', args)).stdout.trim();
}

export class Deployment {
  readonly project = `tandemtest${process.pid}`;
  /** "docker-compose", or "docker compose". */
  readonly #command = (process.env['TANDEM_COMPOSE'] ?? 'docker-compose').split(' ');
  readonly #env: Readonly<Record<string, string>>;

  constructor(env: Readonly<Record<string, string>> = {}) {
    this.#env = { TANDEM_GRPC_PORT: '0', TANDEM_HTTP_PORT: '0', JAEGER_PORT: '0', PROMETHEUS_PORT: '0', ...env };
  }

  /** Runs e.g. `docker-compose up -d`; resolves to its standard output. If it fails, rejects with its output. */
  async compose(...args: string[]): Promise<string> {
    const [file = '', ...before] = this.#command;
    const options = { cwd: ROOT, env: { ...process.env, ...this.#env }, maxBuffer: 64 * 1_048_576 };
    return (await exec(file, [...before, '-p', this.project, ...args], options)).stdout.trim();
  }

  /** Containers, stopped ones as well. */
  async containers(service: Service): Promise<string[]> {
    const labels = [`com.docker.compose.project=${this.project}`, `com.docker.compose.service=${service}`];
    const out = await docker('ps', '-aq', '--no-trunc', ...labels.flatMap((label) => ['--filter', `label=${label}`]));
    return out.split('\n').filter((id) => id !== '');
  }

  async inspect(container: string): Promise<Inspected> {
    const [found] = JSON.parse(await docker('inspect', container)) as Inspected[];
    return found!;
  }

  /** The address on this machine of a service's published port. Example: "127.0.0.1:49153". */
  async address(service: Service, port: number): Promise<string> {
    const [container = ''] = await this.containers(service);
    return (await docker('port', container, String(port))).split('\n')[0]!;
  }

  async healthy(service: Service, count: number): Promise<void> {
    await until(
      async () => {
        const all = await Promise.all((await this.containers(service)).map((id) => this.inspect(id)));
        return all.filter(({ State }) => State.Health?.Status === 'healthy').length === count;
      },
      { what: `${count} healthy containers of ${service}`, timeoutMs: 60_000 },
    );
  }

  /** Everything of it that still exists in Docker. */
  async remains(): Promise<string[]> {
    const filter = ['--filter', `label=com.docker.compose.project=${this.project}`];
    const lists = await Promise.all([
      docker('ps', '-aq', ...filter),
      docker('volume', 'ls', '-q', ...filter),
      docker('network', 'ls', '-q', ...filter),
    ]);
    return lists.flatMap((list) => list.split('\n')).filter((id) => id !== '');
  }

  async down(): Promise<void> {
    await this.compose('--profile', 'metrics', 'down', '-v', '--timeout', '20');
  }
}
