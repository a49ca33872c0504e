#!/usr/bin/env node
// `npx tandem`: the command-line client.
import { programOf } from './base-program.ts';
import type { GlobalOptions } from './client.ts';
import { healthCommand } from './health.ts';

// The reader of the output may stop early, as `head` does.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit();
  throw error;
});

// Loading all commands takes five times the CPU time of a health check.
const program =
  process.argv[2] === 'health' ? programOf([healthCommand()]) : (await import('./program.ts')).tandemProgram();
program.parseAsync().catch(async (error: unknown) => {
  const { failWith } = await import('./errors.ts');
  failWith(error, program.opts<GlobalOptions>().address);
});
