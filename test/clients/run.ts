// Commands as a user types them.
import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';

/** Returns the output of the command. If it fails, throws with its complete output. */
export async function run(command: string, environment: Record<string, string>): Promise<string> {
  const child = spawn('bash', ['-c', command], {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
  const [out, err, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  if (code !== 0) throw new Error(`${command} ended with ${code}:\n${err}${out}`);
  return out;
}
