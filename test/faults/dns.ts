// The host name of three working engines gets other addresses.
import { mkdtempSync, renameSync, writeFileSync } from 'node:fs';
import { type Server, type Socket, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { once } from 'node:events';
import * as grpc from '@grpc/grpc-js';
import { EngineWatch } from './engine-watch.ts';
import { DEADLINE_MS, SOON_ALERTS, judgeLink, playFault } from './fault-play.ts';
import { untilConnected } from './judging.ts';
import type { DnsAnswer } from './preload/lookup.ts';
import type { Scenario } from './scenario.ts';
import type { Stage } from './stage.ts';

const GOOD: DnsAnswer = { addresses: ['127.0.0.1', '127.0.0.2', '127.0.0.3'] };
/** They refuse connections. */
const DEAD: DnsAnswer = { addresses: ['127.0.0.101', '127.0.0.102', '127.0.0.103'] };
/** They accept connections and send nothing. */
const SILENT: DnsAnswer = { addresses: ['127.0.0.111', '127.0.0.112', '127.0.0.113'] };
/** They are gRPC servers, but not engines. */
const WRONG: DnsAnswer = { addresses: ['127.0.0.121', '127.0.0.122', '127.0.0.123'] };
const NOT_FOUND: DnsAnswer = { code: 'ENOTFOUND' };
const IDS = ['engine-127-0-0-1', 'engine-127-0-0-2', 'engine-127-0-0-3'];
const INTERVAL_MS = 500;
const FLAP_MS = 1_000;

/** The name's answer; it may be changed at any time. */
class Name {
  readonly file = join(mkdtempSync(join(tmpdir(), 'tandem-dns-')), 'engines.json');

  set answer(answer: DnsAnswer) {
    writeFileSync(`${this.file}.new`, JSON.stringify(answer));
    renameSync(`${this.file}.new`, this.file);
  }
}

/** The answers alternate; a single one stays. */
function moved(name: string, fault: string, answers: readonly DnsAnswer[], namedId?: string): Scenario {
  return {
    name: `dns-${name}`,
    fault: `the name of three connected engines ${fault}`,
    settings: { ...SOON_ALERTS, request_timeout_ms: DEADLINE_MS },
    bar: '0 failed',
    async run(stage) {
      const truths = await stage.truths();
      const port = await startEngines(stage);
      await startStrangers(stage, port);
      const dns = new Name();
      dns.answer = GOOD;
      const target = { name: 'engine', address: `engines:${port}` };
      const settings = { ...this.settings, discovery: { targets: [target], interval_ms: INTERVAL_MS } };
      const preload = join(import.meta.dirname, 'preload/lookup.ts');
      const env = { NODE_OPTIONS: `--import=${preload}`, TEST_DNS_FILE: dns.file };
      const router = await stage.router(settings, [], env);
      await untilConnected(router.operator, IDS);
      let turn = 0;
      let flapping: NodeJS.Timeout | undefined;
      const begin = (): void => {
        dns.answer = answers[0]!;
        flapping = setInterval(() => (dns.answer = answers[++turn % answers.length]!), FLAP_MS);
      };
      const end = (): void => {
        clearInterval(flapping);
        dns.answer = GOOD;
      };
      const fault = { router, id: IDS[0]!, truths, begin, end };
      if (namedId === undefined) return judgeLink(await playFault(stage, fault));
      const stranger = new EngineWatch(router.address, namedId);
      const outcome = judgeLink(await playFault(stage, fault));
      const { inEvent, downEvents } = await stranger.end();
      return {
        ...outcome,
        figures: { ...outcome.figures, stranger: { inEvent, downEvents } },
        measured: `${outcome.measured}; ${namedId}: down in ${downEvents} events, "${inEvent}"`,
        missed: [
          ...outcome.missed,
          ...(downEvents === 1 && inEvent !== '' ? [] : [`${namedId} is down in ${downEvents} events`]),
        ],
      };
    },
  };
}

/** On one port of three hosts. */
async function startEngines(stage: Stage): Promise<number> {
  const [first] = await stage.sidecars(1, undefined, { listen: '127.0.0.1:0' });
  const port = Number(first!.address.split(':')[1]);
  for (const host of GOOD.addresses!.slice(1)) await stage.sidecars(1, undefined, { listen: `${host}:${port}` });
  return port;
}

async function startStrangers(stage: Stage, port: number): Promise<void> {
  for (const host of SILENT.addresses!) {
    const sockets = new Set<Socket>();
    const server: Server = createServer((socket) => {
      sockets.add(socket.resume().on('error', () => undefined));
    }).listen(port, host);
    await once(server, 'listening');
    stage.onEnd(() => {
      server.close();
      for (const socket of sockets) socket.destroy();
    });
  }
  for (const host of WRONG.addresses!) {
    const server = new grpc.Server();
    await new Promise<void>((resolve, reject) => {
      server.bindAsync(`${host}:${port}`, grpc.ServerCredentials.createInsecure(), (error) =>
        error ? reject(error) : resolve(),
      );
    });
    stage.onEnd(() => server.forceShutdown());
  }
}

export const dnsScenarios: readonly Scenario[] = [
  moved('dead', 'moves to addresses that refuse connections', [DEAD]),
  moved('silent', 'moves to addresses that accept and say nothing', [SILENT], 'engine-127-0-0-111'),
  moved('wrong', 'moves to servers that are not engines', [WRONG], 'engine-127-0-0-121'),
  moved('gone', 'is not found', [NOT_FOUND]),
  moved('flaps', 'changes every second', [DEAD, GOOD, NOT_FOUND, SILENT, GOOD, WRONG]),
];
