import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { type Program, run } from '../support/process.ts';
import { until } from '../support/until.ts';

function start(args: string[] = [], env: Record<string, string> = {}): { program: Program; sockets: string } {
  const sockets = mkdtempSync(join(tmpdir(), 'tandem-start-'));
  const program = run('services/start.ts', ['--listen', '127.0.0.1:0', '--http', '127.0.0.1:0', ...args], {
    env: { TANDEM_SPAWN_SOCKET_DIR: sockets, ...env },
  });
  return { program, sockets };
}

/** Ids of the sidecars that listen in a folder. */
function sidecarsIn(sockets: string): string[] {
  return execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' })
    .split('\n')
    .filter((line) => line.includes('tandem-engine') && line.includes(sockets));
}

describe('npm start', () => {
  it('prints its engines and one call to copy, which works; SIGTERM then stops all its processes', async () => {
    const { program, sockets } = start(['--engines', '3']);
    const call = await program.line(/Try it:/);
    expect(sidecarsIn(sockets)).toHaveLength(3);
    const dashboard = /http:\S+/.exec(await program.line(/Dashboard:/))![0];
    expect((await fetch(dashboard)).headers.get('content-type')).toMatch(/^text\/html/);
    expect(await (await fetch(`${dashboard}readyz`)).text()).toBe('4 of 4 engines ready for supersense/1\n');
    const args = call.trim().split(/\s+/).slice(4); // Try it: npx tandem …
    const answered = await run('services/cli/main.ts', args).finished;
    expect(answered).toMatchObject({ code: 0, stdout: expect.stringMatching(/noun\.animal.*confidence/) as unknown });
    program.child.kill('SIGTERM');
    expect((await program.finished).code).toBe(0);
    expect(sidecarsIn(sockets)).toEqual([]);
  });

  it('finishes open requests on Ctrl-C, which a terminal and npm both pass on', async () => {
    const { program } = start(['--engines', '1']);
    await program.line(/Try it:/);
    program.child.kill('SIGINT');
    await program.line(/SIGINT: finishing/);
    program.child.kill('SIGINT');
    expect(await program.finished).toMatchObject({ code: 0, stdout: expect.stringMatching(/Stopped\.$/m) as unknown });
  });

  it('stops when its terminal is closed, although SIGHUP otherwise reloads its settings', async () => {
    const sockets = mkdtempSync(join(tmpdir(), 'tandem-start-'));
    const command = `${process.execPath} services/start.ts --listen 127.0.0.1:0 --http off --engines 1`;
    const terminal = spawn('script', ['-qefc', `exec ${command}`, '/dev/null'], {
      env: { ...process.env, NODE_OPTIONS: '', TANDEM_SPAWN_SOCKET_DIR: sockets, SHELL: '/bin/sh' },
    });
    let printed = '';
    terminal.stdout.on('data', (chunk) => (printed += String(chunk)));
    const ready = { what: 'the router to be ready', timeoutMs: 15_000 };
    await until(() => printed.includes('Try it:'), ready);
    expect(sidecarsIn(sockets)).toHaveLength(1);
    terminal.kill('SIGKILL');
    await until(() => sidecarsIn(sockets).length === 0, { what: 'the sidecar to be gone', timeoutMs: 10_000 });
  });

  it('stops with npm, which ends on SIGHUP without passing it on', async () => {
    const sockets = mkdtempSync(join(tmpdir(), 'tandem-start-'));
    // Acts like npm: starts the script, and ends on the signal.
    const likeNpm = `require('node:child_process').spawn(process.execPath, process.argv.slice(1), { stdio: 'inherit' })`;
    const args = ['services/start.ts', '--listen', '127.0.0.1:0', '--http', 'off', '--engines', '1'];
    const npm = spawn(process.execPath, ['-e', likeNpm, ...args], {
      env: { ...process.env, NODE_OPTIONS: '', npm_lifecycle_event: 'start', TANDEM_SPAWN_SOCKET_DIR: sockets },
    });
    let printed = '';
    npm.stdout.on('data', (chunk) => (printed += String(chunk)));
    await until(() => printed.includes('Try it:'), { what: 'the router to be ready', timeoutMs: 15_000 });
    npm.kill('SIGHUP');
    await until(() => printed.includes('Stopped.'), { what: 'the router to stop', timeoutMs: 10_000 });
    expect(printed).toMatch(/npm has ended; use "npx tandem config reload"[^]*SIGTERM: finishing/);
    expect(sidecarsIn(sockets)).toEqual([]);
  });

  it('ends its sidecars even when it is killed with -9', async () => {
    const { program, sockets } = start(['--engines', '1']);
    await program.line(/Try it:/);
    program.child.kill('SIGKILL');
    await program.finished;
    while (sidecarsIn(sockets).length > 0) await new Promise((resolve) => setImmediate(resolve));
  });

  it.each([
    [['--engines', 'two'], {}, 2, /spawn\.count/],
    [['--engnies', '2'], {}, 2, /--engnies/],
    [[], { TANDEM_STRATEGY: 'SOMETIMES' }, 2, /strategy/],
    [['--models', '/no/such/folder'], {}, 1, /no model repository at "\/no\/such\/folder"/],
  ])('stops with one line that names the error: %j %j', async (args, env, code, message) => {
    const { program } = start(args, env);
    const finished = await program.finished;
    expect([finished.code, finished.stderr]).toEqual([code, expect.stringMatching(message)]);
  });

  it.each([
    ['--listen', /cannot listen on ADDRESS[^]*another router[^]*npm start -- --listen 127.0.0.1:\d+ --http /],
    ['--http', /cannot serve the dashboard on ADDRESS: something else listens there; set http_listen/],
  ])('names the address that is in use: that of %s', async (flag, message) => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = `127.0.0.1:${(server.address() as { port: number }).port}`;
    const { program } = start([flag, address]);
    const finished = await program.finished;
    server.close();
    expect(finished.code).toBe(1);
    expect(finished.stderr.replace(address, 'ADDRESS')).toMatch(message);
  });

  it('explains itself', async () => {
    const finished = await run('services/start.ts', ['--help']).finished;
    expect(finished.stdout).toMatch(/Example: npm start -- --engines 3/);
  });

  it('survives an uncaught error, and counts it', async () => {
    const bug = 'process.on("SIGWINCH", () => void Promise.reject(new Error("on purpose")))';
    const env = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(bug)}`, TANDEM_SPAWN_COUNT: '0' };
    const { program } = start([], env);
    const dashboard = /http:\S+/.exec(await program.line(/Dashboard:/))![0];
    const metrics = async (): Promise<string> => await (await fetch(`${dashboard}metrics`)).text();
    expect(await metrics()).toMatch(/^tandem_bugs_total 0$/m);
    program.child.kill('SIGWINCH');
    await until(async () => /^tandem_bugs_total 1$/m.test(await metrics()), { what: 'the bug to be counted' });
    program.child.kill('SIGTERM');
    const { code, stderr } = await program.finished;
    expect([code, stderr]).toEqual([0, expect.stringMatching(/bug: .*|on purpose/)]);
  });
});
