import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, describe, expect, it } from '@jest/globals';
import { type FakeRouter, resultFor, startFakeRouter } from '../../test/fakes/fake-router.ts';
import { type Finished, run } from '../../test/support/process.ts';

let router: FakeRouter | undefined;

afterEach(() => {
  router?.stop();
});

/** Answers two requests at a time, in reverse order. */
async function startSwapping(): Promise<FakeRouter> {
  return await startFakeRouter({
    reasonStream: (call) => {
      const waiting: Parameters<typeof resultFor>[0][] = [];
      const answer = (): void => {
        for (const request of waiting.splice(0).reverse())
          call.write({ requestId: request.requestId, outcome: resultFor(request), processingTimeMs: 1 });
      };
      call.on('data', ({ request }: { request: Parameters<typeof resultFor>[0] }) => {
        if (waiting.push(request) === 2) answer();
      });
      call.on('end', () => {
        answer();
        call.end();
      });
    },
  });
}

async function stream(stdin: string, ...args: string[]): Promise<Finished> {
  return await run('services/cli/main.ts', ['stream', '--address', router!.address, ...args], { stdin }).finished;
}

function child(...args: string[]) {
  return spawn(process.execPath, ['services/cli/main.ts', 'stream', '--address', router!.address, ...args], {
    stdio: 'pipe',
  });
}

describe('tandem stream', () => {
  it('prints answers as they arrive, with the id of their line', async () => {
    router = await startSwapping();
    const finished = await stream('[1]\n{"id": "mine", "encoding": [2]}\n[3]\n');
    expect(finished.stdout.split('\n').map((line) => line.split(/ +/)[0])).toEqual(['ID', 'mine', '1', '3', '']);
    expect(finished.stderr).toMatch(/^answered 3, failed 0/);
    expect(finished.code).toBe(0);
  });

  it('prints JSON lines with --json and exits with 1 if a line failed', async () => {
    router = await startSwapping();
    const { stdout, code } = await stream('oops\n[1]\n', '--json');
    expect(
      stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as unknown),
    ).toEqual([
      { requestId: '1', error: expect.objectContaining({ reason: 'LINE_UNREADABLE' }) },
      expect.objectContaining({ requestId: '2', result: expect.objectContaining({ label: 'something' }) }),
    ]);
    expect(code).toBe(1);
  });

  it('answers a line before it reads the next one', async () => {
    router = await startFakeRouter({
      reasonStream: (call) => {
        call.on('data', ({ request }: { request: Parameters<typeof resultFor>[0] }) =>
          call.write({ requestId: request.requestId, outcome: resultFor(request), processingTimeMs: 1 }),
        );
        call.on('end', () => call.end());
      },
    });
    const program = child('--json');
    program.stdin.write('[1]\n');
    const [answer] = (await once(program.stdout, 'data')) as [Buffer];
    expect(JSON.parse(answer.toString())).toMatchObject({ requestId: '1' });
    program.stdin.end('[2]\n');
    const [next] = (await once(program.stdout, 'data')) as [Buffer];
    expect(JSON.parse(next.toString())).toMatchObject({ requestId: '2' });
    expect(await once(program, 'close')).toEqual([0, null]);
  });

  it('stops reading its input while the router does not read', async () => {
    router = await startFakeRouter({ reasonStream: (call) => void call.pause() });
    const program = child('--timeout-ms', '60000');
    const line = `${JSON.stringify(Array<number>(1_000).fill(0.5))}\n`.repeat(10);
    // Each write waits for free space; after a while without any, the program does not read.
    let bytes = 0;
    for (;;) {
      bytes += line.length;
      if (program.stdin.write(line)) continue;
      const hasRoom = await Promise.race([
        once(program.stdin, 'drain').then(() => true),
        new Promise<boolean>((resolve) => setTimeout(() => resolve(false), 1_500)),
      ]);
      if (!hasRoom) break;
      if (bytes > 64e6) break;
    }
    program.kill('SIGKILL');
    expect(bytes).toBeLessThan(8e6);
  });

  it('ends on Ctrl-C after the remaining answers', async () => {
    let respond = (): void => undefined;
    router = await startFakeRouter({
      reasonStream: (call) => {
        call.on('data', ({ request }: { request: Parameters<typeof resultFor>[0] }) => {
          respond = () =>
            call.write({ requestId: request.requestId, outcome: resultFor(request), processingTimeMs: 1 });
          program.kill('SIGINT');
        });
        // The client has stopped reading its input, which has not ended.
        call.on('end', () => {
          respond();
          call.end();
        });
      },
    });
    const program = child('--json');
    let output = '';
    program.stdout.on('data', (chunk) => (output += String(chunk)));
    program.stderr.on('data', (chunk) => (output += String(chunk)));
    program.stdin.write('[1]\n');
    expect(await once(program, 'close')).toEqual([130, null]);
    expect(output).toMatch(/Reading stopped[^]*"requestId":"1"[^]*answered 1, failed 0/);
  });

  it('fails if the router is silent while requests are unanswered', async () => {
    router = await startFakeRouter({ reasonStream: (call) => void call.resume() });
    const finished = await stream('[1]\n[2]\n', '--timeout-ms', '300');
    expect([finished.code, finished.stderr]).toEqual([
      1,
      expect.stringMatching(/no answer for 300 ms while 2 requests are unanswered; a longer --timeout-ms waits longer/),
    ]);
  });

  it('waits for its input without a timeout', async () => {
    router = await startSwapping();
    const program = child('--timeout-ms', '200');
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    program.stdin.end('[1]\n[2]\n');
    expect(await once(program, 'close')).toEqual([0, null]);
  });

  it('reports that the router ended the stream early', async () => {
    router = await startFakeRouter({ reasonStream: (call) => call.on('data', () => call.end()) });
    const program = child();
    let stderr = '';
    program.stderr.on('data', (chunk) => (stderr += String(chunk)));
    program.stdin.write('[1]\n'); // the input does not end
    expect(await once(program, 'close')).toEqual([1, null]);
    expect(stderr).toMatch(/the router ended the stream; 1 request is unanswered/);
  });

  it('exits with 3 if there is no router at the address', async () => {
    const finished = await run('services/cli/main.ts', ['stream', '--address', '127.0.0.1:1'], { stdin: '[1]' })
      .finished;
    expect([finished.code, finished.stderr]).toEqual([3, expect.stringMatching(/no router answers at 127\.0\.0\.1:1/)]);
  });

  it('ends without an error when its output is closed', async () => {
    router = await startSwapping();
    const program = child();
    let stderr = '';
    program.stderr.on('data', (chunk) => (stderr += String(chunk)));
    program.stdin.on('error', () => undefined);
    program.stdout.once('data', () => {
      program.stdout.destroy();
      program.stdin.write('[1]\n[2]\n'.repeat(1_000));
    });
    program.stdin.write('[1]\n[2]\n');
    const [code] = (await once(program, 'close')) as [number];
    expect([code, stderr]).toEqual([0, '']);
  });
});
