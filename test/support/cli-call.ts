// Calls `npx tandem` in the test's own process, without a start of Node.js.
import { jest } from '@jest/globals';
import { runTandem } from '../../services/cli/run.ts';

export interface CliCall {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** For commands that do not read standard input. */
export async function callTandem(words: readonly string[]): Promise<CliCall> {
  const stdout = captured(process.stdout);
  const stderr = captured(process.stderr);
  process.exitCode = undefined;
  try {
    await runTandem(words);
    return { code: exitCode(), stdout: stdout.text(), stderr: stderr.text() };
  } finally {
    process.exitCode = undefined;
    stdout.restore();
    stderr.restore();
  }
}

function exitCode(): number {
  return Number((process as { exitCode?: string | number | null }).exitCode ?? 0);
}

function captured(stream: NodeJS.WriteStream): { text(): string; restore(): void } {
  let text = '';
  const spy = jest.spyOn(stream, 'write').mockImplementation((chunk) => {
    text += String(chunk);
    return true;
  });
  return { text: () => text, restore: () => spy.mockRestore() };
}
