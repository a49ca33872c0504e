// Renews every certificate while callers connect and disconnect: the router's, the clients', the CA of clients, the
// engines', and the router's for engines. Prints the number of failed calls, and fails if there are any.
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArguments } from '../support/arguments.ts';
import { CERTIFICATE_POLL_MS } from '../../services/auth/certificates.ts';
import { DevelopmentCa } from '../support/certificates.ts';
import { run } from '../support/process.ts';
import { startRouter } from '../support/router-process.ts';
import { startSidecar } from '../support/sidecar.ts';
import type { Measured } from './tls/caller.ts';

const HELP = `Renews every certificate under load, each time as an operator does it, and prints how many calls failed.

Usage: node test/load/tls-renewal.ts [options]

  --callers N   processes that call, each over a new connection after 50 calls (default 2)
  --in-flight N calls of each under way at any time (default 4)
  --json        print JSON for programs
  --help        this text

Example: node test/load/tls-renewal.ts --callers 4
`;

const { values } = parseArguments({
  options: {
    callers: { type: 'string', default: '2' },
    'in-flight': { type: 'string', default: '4' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h' },
  },
});

/** The router and the engines check their files within this time. */
const RELOADED_MS = CERTIFICATE_POLL_MS + 2_000;
const CALLS_EACH = 50;
const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

if (values.help) process.stdout.write(HELP);
else await renewAll();

async function renewAll(): Promise<void> {
  const ca = new DevelopmentCa();
  const next = new DevelopmentCa();
  /** A file is written elsewhere and renamed, so it is always complete. */
  const put = (name: string, bytes: Buffer): void => {
    writeFileSync(join(ca.folder, `${name}.put`), bytes, { mode: 0o600 });
    renameSync(join(ca.folder, `${name}.put`), ca.file(name));
  };
  const clients = ca.file('clients.pem');
  put('clients.pem', ca.read('ca.pem'));
  const [caFile, cert, key] = ['trusted.pem', 'engine.pem', 'engine.key'].map((name) => ca.file(name)) as [
    string,
    string,
    string,
  ];
  put('trusted.pem', ca.read('ca.pem'));
  const args = ['--tls-cert', cert, '--tls-key', key, '--tls-client-ca', caFile];
  const engines = [await startSidecar('deploy/models', { args }), await startSidecar('deploy/models', { args })];
  const router = await startRouter({
    ...{ cache: { enabled: false }, local: { enabled: false }, log_level: 'warn' },
    tls: { cert: ca.tls.cert, key: ca.tls.key, client_ca: clients },
    sidecar_tls: { ca: caFile, cert: ca.tls.cert, key: ca.tls.key },
    sidecars: engines.map(({ address }, at) => ({ id: `engine-${at + 1}`, address })),
  });
  const both = Buffer.concat([ca.read('ca.pem'), next.read('ca.pem')]);
  const steps: [what: string, act: () => void, settleMs?: number][] = [
    ['the certificates of router, engines and clients', () => ca.issue()],
    [
      'a second CA beside the first, for clients and between router and engines',
      () => ['clients.pem', 'trusted.pem', 'ca.pem'].forEach((name) => put(name, both)),
    ],
    [
      'certificates of the second CA',
      () =>
        ['router', 'engine', 'client'].forEach((name) =>
          [`${name}.key`, `${name}.pem`].forEach((file) => put(file, next.read(file))),
        ),
    ],
    [
      'the second CA alone',
      () => ['clients.pem', 'trusted.pem', 'ca.pem'].forEach((name) => put(name, next.read('ca.pem'))),
    ],
  ];
  const seconds = (steps.length * (RELOADED_MS + 3_000) + 4_000) / 1_000;
  const options = [
    '--address',
    router.address,
    '--ca',
    ca.file('ca.pem'),
    '--cert',
    ca.file('client.pem'),
    '--key',
    ca.file('client.key'),
  ];
  const load = ['--in-flight', values['in-flight'], '--calls-each', String(CALLS_EACH), '--seconds', String(seconds)];
  const callers = Array.from({ length: Number(values.callers) }, () =>
    run('test/load/tls/caller.ts', [...options, ...load]),
  );
  try {
    await sleep(2_000);
    for (const [what, renew] of steps) {
      process.stderr.write(`  … ${what}\n`);
      renew();
      await sleep(RELOADED_MS);
      // New connections to the engines, one after the other.
      for (const engine of engines) {
        await engine.stop();
        await engine.restart();
        await sleep(1_000);
      }
    }
    const results = await Promise.all(
      callers.map(async ({ finished }) => {
        const { code, stdout, stderr } = await finished;
        if (code !== 0) throw new Error(`a caller failed: ${stderr}`);
        return JSON.parse(stdout) as Measured;
      }),
    );
    report(results, steps.length);
  } finally {
    await router.stop();
    await Promise.all(engines.map((engine) => engine.stop()));
    ca.remove();
    next.remove();
  }
}

function report(results: readonly Measured[], renewals: number): void {
  const sum = (key: 'calls' | 'failed' | 'connections'): number =>
    results.reduce((total, each) => total + each[key], 0);
  const found = { renewals, calls: sum('calls'), connections: sum('connections'), failed: sum('failed') };
  const why = results.find(({ failed }) => failed > 0)?.why ?? '';
  if (values.json) process.stdout.write(`${JSON.stringify({ ...found, why })}\n`);
  else {
    const { calls, connections, failed } = found;
    process.stdout.write(
      `${renewals} renewals: ${failed} of ${calls} calls over ${connections} connections failed${why && `: ${why}`}\n`,
    );
  }
  if (found.failed > 0) process.exitCode = 1;
}
