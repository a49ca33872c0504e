#!/usr/bin/env node
// `tandem`, from any folder and under any Node.js from version 20. The commands are TypeScript: a Node.js that cannot run it
// hands over to the one in node_modules.
import { spawn } from 'node:child_process';
import module from 'node:module';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { URL, fileURLToPath } from 'node:url';

const MAIN = new URL('./main.ts', import.meta.url);

if (process.features.typescript) {
  // Compiled code is kept: a command starts in a third of the time. In the user's own folder, where nobody else can write.
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
  // A terminal's Ctrl-C reaches the child as well: it decides.
  process.on('SIGINT', () => undefined);
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code ?? 1);
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
}
