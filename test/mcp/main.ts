// Runs the official MCP conformance suite against a router's MCP server. See README.md.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import * as grpc from '@grpc/grpc-js';
import { serveHttp } from '../../services/mcp/http.ts';
import { RouterConnection } from '../../services/mcp/router-connection.ts';
import { tandemMcpServer } from '../../services/mcp/server.ts';
import { startSystem } from '../support/system.ts';
import { addFixtures } from './fixtures.ts';

/** The last stable version of the suite, and the first one with the protocol's current revision. */
const RUNS = [
  { suite: '@modelcontextprotocol/conformance@0.1.16', revision: '2025-11-25' },
  { suite: '@modelcontextprotocol/conformance@0.2.0-alpha.12', revision: '2026-07-28' },
] as const;

const system = await startSystem({ spawn: { count: 0 } });
const router = new RouterConnection({
  ...{ address: system.address, credentials: grpc.credentials.createInsecure(), channel: {}, timeoutMs: 10_000 },
});
const endpoint = await serveHttp(() => addFixtures(tandemMcpServer({ router, admin: router, version: '0' })), 0);
const folder = mkdtempSync(join(tmpdir(), 'tandem-mcp-'));
try {
  for (const { suite, revision } of RUNS) {
    process.stdout.write(`\n${suite}, revision ${revision}\n`);
    const notOffered = join(import.meta.dirname, `not-offered-${revision}.yaml`);
    const args = ['--url', endpoint.url, '--spec-version', revision, '--expected-failures', notOffered];
    const child = spawn('npx', ['--yes', suite, 'server', ...args, '--output-dir', folder], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const output = await text(child.stdout);
    process.stdout.write(output.slice(Math.max(0, output.indexOf('=== SUMMARY'))));
    const [code] = (child.exitCode === null ? await once(child, 'exit') : [child.exitCode]) as [number];
    if (code !== 0) process.exitCode = 1;
  }
} finally {
  rmSync(folder, { recursive: true });
  await endpoint.close();
  router.close();
  await system.stop();
}
