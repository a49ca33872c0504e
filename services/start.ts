// The program behind `npm start`: flags, a summary of what runs, signals.
import { setTimeout as delay } from 'node:timers/promises';
import { isatty } from 'node:tty';
import { parseArgs } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { clientFlags } from './config/client-flags.ts';
import { isStartedByNpm } from './config/launcher.ts';
import { ConfigError, type LoadOptions, loadSettings } from './config/load.ts';
import type { Settings } from './config/schema.ts';
import { checkModels } from './engines/model-problems.ts';
import { type Tandem, start } from './main.ts';
import { Bugs } from './telemetry/bugs.ts';
import { changeLevel, createLog } from './telemetry/log.ts';

/** Time for a start to finish if a signal arrived during it, milliseconds. */
const START_GRACE_MS = 3_000;

const HELP = `Runs the Tandem router, its local engine and C++ sidecars until Ctrl-C.

Usage: npm start -- [options]

  --engines N      C++ sidecars to start and keep running (default 2)
  --listen ADDR    address of the gRPC server (default 127.0.0.1:50051)
  --http ADDR      address of the dashboard (default 127.0.0.1:8080; "off": none)
  --models DIR     the model repository (default deploy/models)
  --config FILE    settings in YAML (also TANDEM_CONFIG); any setting also as TANDEM_…
  --help           this text

"npx tandem config reload", or SIGHUP to the router (the process "node services/start.ts"), has it read its settings again,
and refuse them whole if something is wrong with them. npm itself ends on SIGHUP, and the router then stops with it. SIGUSR1
makes the router's log tell more, SIGUSR2 less.

Flags win over the environment, and the environment over the file. What is wrong with settings stops the start with
exit code 2. All settings with their meaning: npx tandem config print

Example: npm start -- --engines 3
`;

/** A terminal sends Ctrl-C to every process, and npm forwards it again: both count as one signal. */
const SAME_SIGNAL_MS = 500;

/** Part of the message for an address in use. */
const TAKEN = 'something else listens there';
const SECOND_ROUTER = `If that is another router, give this one addresses of its own:
  npm start -- --listen 127.0.0.1:50052 --http 127.0.0.1:8081
`;

/** Interval at which a router started by npm checks that npm still runs, milliseconds. */
const NPM_CHECK_MS = 500;

/**
 * The first: V8 allocates objects directly in its old generation if earlier objects of the same allocation site lived
 * long, and never reverts that. In a router, objects live long only for a moment, as in a burst. Afterwards a sixth of
 * all allocations would be old garbage, with the messages that it refers to: 80 MB more memory, and twice the p99 of a
 * cache hit.
 *
 * The second: all garbage is collected when memory has doubled. V8 itself would do it much sooner, which takes a third
 * of the CPU time of batches; this takes 20 MB.
 */
const V8_FLAGS = ['--no-allocation-site-pretenuring', '--heap-growing-percent=100'];

/**
 * Node.js defines these as accessors, which V8 calls for every use: 1 % of a request's CPU time. As plain properties, they
 * are constants of compiled code.
 */
function makeGlobalsPlain(): void {
  for (const name of ['Buffer', 'performance', 'process'] as const) {
    Object.defineProperty(globalThis, name, { value: globalThis[name], writable: true, configurable: true });
  }
}

async function main(): Promise<void> {
  makeGlobalsPlain();
  for (const flag of V8_FLAGS) setFlagsFromString(flag);
  const { values } = parseArgs({
    options: {
      engines: { type: 'string' },
      listen: { type: 'string' },
      http: { type: 'string' },
      models: { type: 'string' },
      config: { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return;
  }
  const sources: LoadOptions = {
    file: values.config,
    flags: [
      { flag: '--engines', key: 'spawn.count', text: values.engines },
      { flag: '--listen', key: 'listen', text: values.listen },
      { flag: '--http', key: 'http_listen', text: values.http },
      { flag: '--models', key: 'models_dir', text: values.models },
    ],
    // A user who starts it by hand may want to use grpcurl.
    defaults: { reflection: true },
  };
  // A closed reader of the output, as in `npm start | head -1`, must not end the router.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
  const settings = loadSettings(sources);
  const log = createLog(settings.log_level);
  const bugs = new Bugs(log);
  surviveBugs(bugs);
  // Without a listener, SIGUSR1 would start Node.js's debugger, and SIGUSR2 would end the program.
  process.on('SIGUSR1', () => changeLevel(log, 'more'));
  process.on('SIGUSR2', () => changeLevel(log, 'less'));
  const readSettings = (): Settings => loadSettings(sources);
  const starting = start(settings, log, undefined, { bugs: () => bugs.count, readSettings });
  stopOnSignal(starting);
  if (isStartedByNpm()) stopWithNpm();
  const hadTerminal = isatty(1);
  process.on('SIGHUP', () => {
    if (hadTerminal && !isatty(1)) {
      stopWithTerminal();
      return;
    }
    // A failed start has already been reported.
    void starting.then((tandem) => tandem.reload(readSettings)).catch(() => undefined);
  });
  const text = banner(await starting, settings);
  collectGarbage();
  process.stdout.write(text);
}

/** A start leaves some 30 MB of garbage, which V8 would collect only when there is twice as much. */
function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  setFlagsFromString('--no-expose-gc');
}

/** Handles unhandled rejections, too. After too many, the process ends as it would without a listener. */
function surviveBugs(bugs: Bugs): void {
  process.on('uncaughtException', (error: unknown, origin) => {
    if (!bugs.record(error, origin)) return;
    process.stderr.write('tandem: too many bugs in a short time; the last one:\n');
    process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
    process.exit(1);
  });
}

function banner(
  { address, bridgeAddress, httpAddress, httpScheme, pool, models, readiness }: Tandem,
  settings: Settings,
): string {
  const width = Math.max(24, ...pool.engines.map(({ engine }) => engine.address.length));
  const rows = pool.engines.map(({ id, engine, unavailableReason, modelProblems, pins }) => {
    const { usable } = checkModels(engine.description?.models ?? [], pins);
    const served = usable.map((model) => `${model.name}/${model.version}`);
    const others = modelProblems.map(({ model, why }) => `; not ${model}: ${why}`);
    const state = unavailableReason || `ready, ${served.join(' ')}${others.join('')}`;
    return `  ${id.padEnd(12)} ${engine.address.padEnd(width)} ${state}\n`;
  });
  const broken = models.versions.flatMap(({ name, version, heldAs, error }) => {
    const reason = error || (pool.pinned(heldAs, version)?.error ?? '');
    return reason === ''
      ? []
      : [`  ${'model'.padEnd(12)} ${`${name}/${version}`.padEnd(width)} cannot be used: ${reason}\n`];
  });
  const { isReady, why } = readiness();
  const flags = [address.endsWith(':50051') ? '' : `--address ${clientAddress(address)}`, clientFlags(settings)];
  const attempt = ['npx tandem reason --sample dog', ...flags.filter((flag) => flag !== '')].join(' ');
  return [
    `\n  ${'router'.padEnd(12)} ${address.padEnd(width)} strategy ${settings.strategy}\n`,
    ...rows,
    ...broken,
    bridgeAddress && `\n  Old protocol: ${clientAddress(bridgeAddress)} (JSON lines over TCP)\n`,
    httpAddress && `\n  Dashboard: ${httpScheme}://${clientAddress(httpAddress)}/\n`,
    isReady ? `\n  Try it:  ${attempt}\n` : `\n  Not ready:  ${why}\n`,
    '  Stop with Ctrl-C.\n\n',
  ].join('');
}

function clientAddress(address: string): string {
  return address.replace(/^(0\.0\.0\.0|\[::\])/, '127.0.0.1');
}

/** A closed terminal also sends SIGHUP; then there is no user to print to. */
function stopWithTerminal(): void {
  process.emit('SIGTERM', 'SIGTERM');
}

/**
 * npm forwards SIGINT and SIGTERM only. If another signal ends npm, the router must stop, because it would be hard to
 * find.
 */
function stopWithNpm(): void {
  const npm = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === npm) return;
    clearInterval(timer);
    process.stdout.write('\n  npm has ended; use "npx tandem config reload" to read settings again.');
    process.emit('SIGTERM', 'SIGTERM');
  }, NPM_CHECK_MS);
  timer.unref();
}

/** The first signal drains; a second one ends at once. */
function stopOnSignal(starting: Promise<Tandem>): void {
  let stoppingMs = Infinity;
  const onSignal = (signal: NodeJS.Signals): void => {
    if (performance.now() - stoppingMs > SAME_SIGNAL_MS) process.exit(130);
    if (stoppingMs < Infinity) return;
    stoppingMs = performance.now();
    process.stdout.write(`\n  ${signal}: finishing what is in flight (once more to stop at once)…\n`);
    // A router that has not started by then has answered no request, and stops with its sidecars.
    const stopped = Promise.race([starting, delay(START_GRACE_MS)]).then((tandem) => tandem?.stop());
    stopped.then(
      () => {
        process.stdout.write('  Stopped.\n');
        process.exit(0);
      },
      (error: unknown) => {
        process.stderr.write(`tandem: stop failed: ${String(error)}\n`);
        process.exit(1);
      },
    );
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
}

main().catch((error: unknown) => {
  const { message } = error as Error;
  const usage = error instanceof ConfigError || (error as NodeJS.ErrnoException).code?.startsWith('ERR_PARSE_ARGS');
  const help = (usage && 'See: npm start -- --help\n') || (message.includes(TAKEN) && SECOND_ROUTER) || '';
  process.stderr.write(`tandem: ${message}\n${help}`);
  process.exit(usage ? 2 : 1);
});
