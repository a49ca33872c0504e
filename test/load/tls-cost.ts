// The cost of TLS 1.3: calls a second and the median time of a call, of one router with it and one without.
import { parseArguments } from '../support/arguments.ts';
import { table } from '../../services/cli/table.ts';
import { DevelopmentCa } from '../support/certificates.ts';
import { run } from '../support/process.ts';
import { type RouterProcess, startRouter } from '../support/router-process.ts';
import { startSidecar } from '../support/sidecar.ts';
import type { Measured } from './tls/caller.ts';

const HELP = `Measures what TLS 1.3 with a client certificate costs: two routers before one engine, one with TLS and one without, which take
turns. The caller is a process of its own on the same machine, and what TLS costs it is in the figures.

Usage: node test/load/tls-cost.ts [options]

  --in-flight N   calls under way at any time (default 64)
  --seconds N     length of each part (default 3)
  --rounds N      the figures are their medians (default 5)
  --json          print JSON for programs
  --help          this text

Close other programs first, and compare the ratios: absolute figures vary between machines.

Example: node test/load/tls-cost.ts --in-flight 1 --rounds 3
`;

const { values } = parseArguments({
  options: {
    'in-flight': { type: 'string', default: '64' },
    seconds: { type: 'string', default: '3' },
    rounds: { type: 'string', default: '5' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h' },
  },
});

const KINDS = ['plaintext', 'TLS 1.3'] as const;
type Kind = (typeof KINDS)[number];

interface Figures {
  readonly calls_per_s: number;
  readonly p50_us: number;
  /** Of one call. */
  readonly router_cpu_us: number;
}

if (values.help) process.stdout.write(HELP);
else {
  const figures = await measure();
  const [plain, tls] = KINDS.map((kind) => figures[kind]) as [Figures, Figures];
  const ratios = { calls_per_s: tls.calls_per_s / plain.calls_per_s, p50: tls.p50_us / plain.p50_us };
  process.stdout.write(values.json ? `${JSON.stringify({ plain, tls, ratios })}\n` : describe(figures, ratios));
}

async function measure(): Promise<Record<Kind, Figures>> {
  const ca = new DevelopmentCa();
  const sidecar = await startSidecar('deploy/models');
  const settings = {
    cache: { enabled: false },
    local: { enabled: false },
    sidecars: [{ id: 'engine-1', address: sidecar.address }],
  };
  const routers: Record<Kind, RouterProcess> = {
    plaintext: await startRouter(settings),
    'TLS 1.3': await startRouter({ ...settings, tls: ca.tls }),
  };
  const samples: Record<Kind, Figures[]> = { plaintext: [], 'TLS 1.3': [] };
  const files = ['--ca', ca.file('ca.pem'), '--cert', ca.file('client.pem'), '--key', ca.file('client.key')];
  const load = async (kind: Kind): Promise<Figures> => {
    const { address, cpuMs } = routers[kind];
    const before = cpuMs();
    const options = ['--address', address, '--in-flight', values['in-flight'], '--seconds', values.seconds];
    const { code, stdout, stderr } = await run('test/load/tls/caller.ts', [
      ...options,
      ...(kind === 'TLS 1.3' ? files : []),
    ]).finished;
    if (code !== 0) throw new Error(`the caller failed: ${stderr}`);
    const { calls, failed, why, calls_per_s, p50_us } = JSON.parse(stdout) as Measured;
    if (failed > 0) throw new Error(`${failed} calls failed: ${why}`);
    return { calls_per_s, p50_us, router_cpu_us: ((cpuMs() - before) * 1_000) / calls };
  };
  try {
    for (const kind of KINDS) await load(kind); // for the compilers
    for (let round = 0; round < Number(values.rounds); round += 1) {
      for (const kind of round % 2 === 0 ? KINDS : KINDS.toReversed()) samples[kind].push(await load(kind));
    }
  } finally {
    await Promise.all(KINDS.map((kind) => routers[kind].stop()));
    await sidecar.stop();
    ca.remove();
  }
  return { plaintext: medians(samples.plaintext), 'TLS 1.3': medians(samples['TLS 1.3']) };
}

function medians(samples: readonly Figures[]): Figures {
  const of = (key: keyof Figures): number =>
    samples.map((each) => each[key]).sort((a, b) => a - b)[samples.length >> 1] ?? NaN;
  return { calls_per_s: of('calls_per_s'), p50_us: of('p50_us'), router_cpu_us: of('router_cpu_us') };
}

function describe(figures: Record<Kind, Figures>, ratios: { calls_per_s: number; p50: number }): string {
  const rows = KINDS.map((kind) => {
    const { calls_per_s, p50_us, router_cpu_us } = figures[kind];
    return [kind, calls_per_s.toFixed(0), p50_us.toFixed(0), router_cpu_us.toFixed(1)];
  });
  return [
    table(['', 'CALLS/S', 'P50 µs', 'ROUTER CPU µs A CALL'], rows),
    `TLS: ${ratios.calls_per_s.toFixed(3)} of the calls, p50 × ${ratios.p50.toFixed(2)}; ${values['in-flight']} in flight, medians of ${values.rounds} rounds`,
    '',
  ].join('\n');
}
