#!/usr/bin/env node
// `npx tandem`: the command-line client.
import { runTandem } from './run.ts';

// The reader of the output may stop early, as `head` does.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit();
  throw error;
});

await runTandem(process.argv.slice(2));
