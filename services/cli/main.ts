#!/usr/bin/env node
// `npx tandem`: the command-line client.
import type { GlobalOptions } from './client.ts';
import { failWith } from './errors.ts';
import { tandemProgram } from './program.ts';

// Whoever reads the output may stop early, as `head` does.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit();
  throw error;
});

const program = tandemProgram();
program.parseAsync().catch((error: unknown) => failWith(error, program.opts<GlobalOptions>().address));
