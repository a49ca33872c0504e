// Runs one of our programs as a user does: as a separate process, with its output and exit code.
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const ROOT = join(import.meta.dirname, '../..');

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Program {
  readonly child: ChildProcess;
  readonly finished: Promise<Finished>;
  /** Resolves with the first line of standard output that matches; rejects if the program ends without one. */
  line(pattern: RegExp): Promise<string>;
}

/**
 * Runs `node FILE ARGS…` in the repository; FILE is relative to it. `descriptors`: its limit on open files; by default
 * the system's limit.
 */
export function run(
  file: string,
  args: string[],
  options: { env?: Record<string, string>; stdin?: string; descriptors?: number | undefined } = {},
): Program {
  const { descriptors } = options;
  const command = [process.execPath, join(ROOT, file), ...args];
  // prlimit becomes the program: the process is the same one.
  if (descriptors !== undefined) command.unshift('prlimit', `--nofile=${descriptors}:${descriptors}`);
  const child = spawn(command[0]!, command.slice(1), {
    cwd: ROOT,
    env: { ...process.env, NODE_OPTIONS: '', ...options.env },
    stdio: 'pipe',
  });
  child.stdin.end(options.stdin ?? '');
  let stdout = '';
  let stderr = '';
  child.stderr.on('data', (chunk) => (stderr += String(chunk)));
  const waiting: { pattern: RegExp; resolve: (line: string) => void; reject: (error: Error) => void }[] = [];
  const lines: string[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => {
    stdout += `${line}\n`;
    lines.push(line);
    for (const each of waiting) if (each.pattern.test(line)) each.resolve(line);
  });
  const finished = new Promise<Finished>((resolve) => {
    child.on('close', (code) => {
      for (const each of waiting)
        each.reject(new Error(`${file} ended (${code}) before ${each.pattern}\n${stdout}${stderr}`));
      resolve({ code, stdout, stderr });
    });
  });
  const line = (pattern: RegExp): Promise<string> =>
    new Promise((resolve, reject) => {
      const found = lines.find((each) => pattern.test(each));
      if (found === undefined) waiting.push({ pattern, resolve, reject });
      else resolve(found);
    });
  return { child, finished, line };
}
