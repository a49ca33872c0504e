// Starts a real C++ sidecar and learns where it listens.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { createInterface } from 'node:readline';

const BUILT = fileURLToPath(new URL('../../sidecar-cpp/build/release/tandem-engine', import.meta.url));

export interface RunningSidecar {
  readonly address: string;
  stop(): Promise<void>;
}

/** The binary that `npm start` uses, or the one that TANDEM_ENGINE_BIN names. */
export async function startSidecar(modelsDir: string): Promise<RunningSidecar> {
  const binary = process.env['TANDEM_ENGINE_BIN'] ?? BUILT;
  const child = spawn(binary, ['--models', modelsDir, '--listen', '127.0.0.1:0'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const stderr: Buffer[] = [];
  child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
  const exited = once(child, 'exit');
  const address = await new Promise<string>((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code) => reject(new Error(`${binary} ended with ${code}: ${Buffer.concat(stderr).toString()}`)));
    createInterface({ input: child.stdout }).once('line', (line) => {
      const { address } = JSON.parse(line) as { address: string };
      resolve(address);
    });
  });
  return {
    address,
    async stop() {
      child.kill('SIGTERM');
      await exited;
    },
  };
}
