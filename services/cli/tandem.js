#!/usr/bin/env node
// `tandem`, from any folder and with Node.js 20 or later. The commands are TypeScript: a Node.js that cannot run it
// starts the one in node_modules.
import { spawn } from 'node:child_process';
import module from 'node:module';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { URL, fileURLToPath } from 'node:url';

const MAIN = new URL('./main.ts', import.meta.url);

if (process.features.typescript) {
  // Compiled code is cached, so a command starts in a third of the time. The cache is in the user's own folder, where
  // nobody else can write.
  module.enableCompileCache?.(join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'tandem'));
  await import(MAIN.href);
} else {
  handOver();
}

function handOver() {
  let node;
  try {
    node = module.createRequire(import.meta.url).resolve(`node-${process.platform}-${process.arch}/bin/node`);
  } catch {
    console.error(`tandem: this is Node.js ${process.versions.node}, which cannot run TypeScript; use 22.18 or later`);
    process.exit(1);
  }
  const child = spawn(node, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], { stdio: 'inherit' });
  // A terminal sends Ctrl-C to the child, too: the child decides.
  process.on('SIGINT', () => undefined);
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code ?? 1);
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
}
