// Clients of the old protocol with a real router.
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type System, startSystem } from '../support/system.ts';
import { readHeldout } from '../support/heldout.ts';

let system: System;
let port: number;

beforeAll(async () => {
  system = await startSystem({ spawn: { count: 0 }, bridge: { listen: '127.0.0.1:0', reset: true } });
  port = Number(system.bridgeAddress.split(':')[1]);
});

afterAll(async () => {
  await system.stop();
});

const numbers = (): number[] => {
  const { data } = readHeldout()[0]!;
  return Array.from({ length: 768 }, (_, k) => data.readFloatLE(k * 4));
};

/** The answers to messages that are sent together. */
async function ask(...messages: object[]): Promise<Record<string, unknown>[]> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  socket.write(messages.map((message) => `${JSON.stringify(message)}\n`).join(''));
  const answers: Record<string, unknown>[] = [];
  for await (const line of createInterface({ input: socket })) {
    answers.push(JSON.parse(line) as Record<string, unknown>);
    if (answers.length === messages.length) break;
  }
  socket.destroy();
  return answers;
}

describe('the bridge', () => {
  it('gives the same bits as gRPC', async () => {
    const encoding = numbers();
    const [old] = await ask({ type: 'reason', encoding });
    const now = await system.reason({ encoding });
    expect(old).toMatchObject({
      ...{ type: 'reason', result: now.label, confidence: now.confidence, scores: now.scores },
      state_digest: now.stateDigest.toString(16).padStart(16, '0'),
    });
  });

  it('names the wrong field, in its own terms', async () => {
    const [answer] = await ask({ type: 'reason', encoding: [1, 2, 3] });
    expect(answer).toMatchObject({ type: 'error', reason: 'INPUT_LENGTH', field: 'encoding' });
  });

  it('counts its calls with all others, and resets the counts', async () => {
    const [, before] = await ask({ type: 'ping' }, { type: 'metrics' });
    expect(JSON.stringify(before)).toMatch(/"type":"Ping","count":[1-9]/);
    const [, , after] = await ask({ type: 'metrics', reset: true }, { type: 'ping' }, { type: 'metrics' });
    expect(JSON.stringify(after)).toMatch(/"type":"Ping","count":1,/);
  });

  it('answers a query from a corpus, or says that there is none', async () => {
    const [answer] = await ask({ type: 'query', query: 'How are engines chosen?' });
    expect(answer).toMatchObject({ type: 'error', reason: 'UNKNOWN_CORPUS' });
  });

  it('serves programs with UnifiedNeuralEngine', async () => {
    const program = `
import sys
from unified_neural_engine import EngineError, UnifiedNeuralEngine
with UnifiedNeuralEngine({"port": int(sys.argv[1])}) as engine:
    answer = engine.reason([float(word) for word in sys.argv[2].split(",")])
    print(answer["result"], answer["state_digest"])
    try:
        engine.reason([1, 2, 3])
    except EngineError as error:
        print(error.reason, error.field)
    print(sorted(engine.get_metrics(reset=True))[0])
`;
    const encoding = numbers();
    const { stdout } = await promisify(execFile)('python3', ['-c', program, String(port), encoding.join(',')], {
      env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1', PYTHONPATH: 'services/clients/python-compat' },
    });
    const { label, stateDigest } = await system.reason({ encoding });
    const digest = stateDigest.toString(16).padStart(16, '0');
    expect(stdout.split('\n').slice(0, 2)).toEqual([`${label} ${digest}`, 'INPUT_LENGTH encoding']);
  });

  it('serves the unchanged old client', async () => {
    const program = join(import.meta.dirname, '../load/path/replaced.py');
    const { stdout } = await promisify(execFile)('python3', [program, 'client', String(port), '0.2']);
    expect(JSON.parse(stdout)).toMatchObject({ calls: expect.any(Number) as unknown });
  });
});
