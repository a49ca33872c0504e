// Attacks on administration, on the log and on the command line. None of them works.
import * as grpc from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { promised } from '../support/promised.ts';
import { publicPaths } from '../support/public-paths.ts';
import { ACCESS, OPERATE } from '../../services/auth/roles.ts';
import { EventServiceClient, Severity } from '../../services/generated/tandem/v1/events.ts';
import { ModelServiceClient } from '../../services/generated/tandem/v1/models.ts';
import { run } from '../support/process.ts';
import { readRefusal, refusalOf } from '../support/refusal.ts';
import { type System, startSystem } from '../support/system.ts';

/** Clears a terminal, reverses the text direction, and begins a new line. */
const HOSTILE =
  'x\x1b[2J\x9b2J\u202e\u2066\n{"level":"info","message":"engine ready"}\r\n# HELP tandem_up 1\ntandem_up 1';

const lines: string[] = [];
let system: System;

beforeAll(async () => {
  const tracing = { ratio: 0, caller_samples_per_s: 5 };
  system = await startSystem(
    { spawn: { count: 0 }, tracing },
    pino({ level: 'debug' }, { write: (line: string) => void lines.push(line) }),
  );
});

afterAll(() => system.stop());

const OPERATIONS = publicPaths().filter((path) => ACCESS[path] === OPERATE);

function call(path: string, metadata: Record<string, string> = {}): Promise<string> {
  const client = new grpc.Client(system.address, grpc.credentials.createInsecure());
  const sent = new grpc.Metadata();
  for (const [name, value] of Object.entries(metadata)) sent.set(name, value);
  const same = (bytes: Buffer): Buffer => bytes;
  return new Promise((resolve) => {
    client.makeUnaryRequest(path, same, same, Buffer.alloc(0), sent, (error) => {
      client.close();
      resolve(error === null ? 'OK' : readRefusal(error).reason);
    });
  });
}

describe('another program of this machine, or a proxy,', () => {
  it.each(OPERATIONS)('cannot call %s', async (path) => {
    expect(await call(path)).toBe('ADMIN_FORBIDDEN');
  });

  it.each([
    ['that it forwards for this machine', { 'x-forwarded-for': '127.0.0.1', forwarded: 'for=127.0.0.1' }],
    ['that it is an operator', { 'x-role': 'operate', 'x-remote-user': 'root' }],
    ['an unknown token', { authorization: 'Bearer root' }],
  ])('gains nothing by claiming %s', async (_what, metadata) => {
    expect(await call('/tandem.v1.MetricsService/ResetMetrics', metadata)).toBe('ADMIN_FORBIDDEN');
  });
});

describe('a model’s name', () => {
  it.each(['../../../etc/passwd', '/etc/passwd', 'supersense/../supersense', 'x\0y', HOSTILE])(
    'such as %j opens no file',
    async (model) => {
      const client = new ModelServiceClient(system.address, grpc.credentials.createInsecure());
      const refusal = await refusalOf(promised((done) => client.getModel({ model, modelVersion: 0 }, done)));
      client.close();
      expect(refusal.reason).toBe('UNKNOWN_MODEL');
    },
  );
});

function publish(text: string): Promise<unknown> {
  const client = new EventServiceClient(system.address, grpc.credentials.createInsecure());
  const request = {
    topic: 'user.attack',
    severity: Severity.SEVERITY_INFO,
    text,
    data: { why: text },
    payload: new Uint8Array(),
  };
  return promised((done) => client.publish(request, done)).finally(() => client.close());
}

describe('words of others', () => {
  const cli = (...args: string[]): ReturnType<typeof run> =>
    run('services/cli/main.ts', [...args, '--address', system.address]);

  it('in an event do not move the cursor or begin a line in the command line', async () => {
    await publish(HOSTILE);
    for (const options of [[], ['--json']]) {
      const { child, line } = cli('events', '--after', '0', '--topic', 'user.*', ...options);
      const shown = await line(/user\.attack/);
      child.kill();
      expect(shown).toContain('tandem_up 1');
      expect(shown).not.toMatch(/\p{C}/u);
    }
  });

  it('in an error do not either', async () => {
    const { stderr } = await cli('reason', '--sample', 'dog', '--model', HOSTILE).finished;
    expect(stderr).toContain('UNKNOWN_MODEL');
    expect(stderr.trimEnd()).not.toMatch(/(?!\n)\p{C}/u);
    expect(stderr).not.toMatch(/^(#|tandem_up|\{)/m);
  });

  it('in a request create no log line and no metric', async () => {
    await refusalOf(system.reason({ model: HOSTILE, requestId: HOSTILE }));
    for (const line of lines) expect(line.trimEnd()).not.toContain('\n');
    const { body } = await system.prometheus.exposition('text/plain');
    expect(body).not.toMatch(/^tandem_up/m);
    expect(body.split('\n').filter((line) => !/^(# (HELP|TYPE) |[a-z_:][\w:]*(\{.*\})? \S+$|$)/.test(line))).toEqual(
      [],
    );
  });
});

it('a caller’s traceparent keeps a bounded number of traces', async () => {
  const client = new grpc.Client(system.address, grpc.credentials.createInsecure());
  const same = (bytes: Buffer): Buffer => bytes;
  const before = system.tracing.counts.sampled;
  const ended = Array.from({ length: 60 }, (_, at) => {
    const metadata = new grpc.Metadata();
    metadata.set('traceparent', `00-${(at + 1).toString(16).padStart(32, 'f')}-00f067aa0ba902b7-01`);
    return new Promise((resolve) => {
      client.makeUnaryRequest('/tandem.v1.ReasoningService/Reason', same, same, Buffer.alloc(0), metadata, resolve);
    });
  });
  await Promise.all(ended);
  client.close();
  expect(system.tracing.counts.sampled - before).toBeLessThan(60);
});
