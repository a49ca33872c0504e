import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from '@jest/globals';
import { DisputeLog, type DisputeLogOptions } from './dispute-log.ts';
import type { Dispute } from './dispute-record.ts';

const root = mkdtempSync(join(tmpdir(), 'tandem-disputes-'));
let file: string;

beforeEach(() => {
  file = join(mkdtempSync(join(root, 'case-')), 'disputes.jsonl');
});

afterAll(() => rmSync(root, { recursive: true, force: true }));

function dispute(over: Partial<Dispute> = {}): Dispute {
  const ballot = { build: 'b', outcome: 'DISSENTED', why: '', durationMs: 1.5 };
  return {
    requestId: 'r',
    traceId: '0af7651916cd43dd8448eb211c80319c',
    model: 'm',
    version: 2,
    modelId: 0x1fn,
    strategy: 'REDUNDANT',
    shape: [2],
    data: Buffer.from(Float32Array.of(1, 2).buffer),
    state: Buffer.alloc(0),
    verdict: 'DISPUTED',
    ballots: [
      { ...ballot, engineId: 'a', stateDigest: 0xfedcba9876543210n, readoutDigest: 1n },
      {
        ...ballot,
        engineId: 'b',
        stateDigest: undefined,
        readoutDigest: undefined,
        outcome: 'ABSENT',
        why: 'ENGINE_LOST',
      },
    ],
    differences: [],
    ...over,
  };
}

function open(over: Partial<DisputeLogOptions> = {}): DisputeLog {
  return new DisputeLog({ file, maxBytes: 1_048_576, files: 3, input: 'included', ...over });
}

function linesOf(name: string): string[] {
  return readFileSync(name, 'utf8').split('\n').slice(0, -1);
}

/** The ids of the requests in a file. */
function idsIn(name: string): unknown[] {
  return linesOf(name).map((line) => (JSON.parse(line) as { request_id: unknown }).request_id);
}

describe('the dispute log', () => {
  it('writes one line of JSON for each dispute, with all its fields', async () => {
    const log = open();
    const before = Date.now();
    const differences = [
      {
        ...{ engine: 'a', reference: 'c', text: 'a differed from c' },
        state: { step: 3, node: 'lif1' },
        spike: { step: 5, node: 'lif1', neuron: 17 },
      },
      { engine: 'd', reference: '', state: undefined, spike: undefined, text: 'where d differed is not known: gone' },
    ];
    log.record(dispute({ differences }));
    await log.stop();
    const [line, ...others] = linesOf(file);
    const { time, ...record } = JSON.parse(line!) as Record<string, unknown>;
    expect(Date.parse(time as string)).toBeGreaterThanOrEqual(before);
    expect(others).toEqual([]);
    expect(record).toEqual({
      request_id: 'r',
      trace_id: '0af7651916cd43dd8448eb211c80319c',
      model: 'm',
      model_version: 2,
      model_id: '000000000000001f',
      strategy: 'REDUNDANT',
      verdict: 'DISPUTED',
      shape: [2],
      input_f32_base64: 'AACAPwAAAEA=',
      ballots: [
        {
          engine: 'a',
          build: 'b',
          state_digest: 'fedcba9876543210',
          readout_digest: '0000000000000001',
          outcome: 'DISSENTED',
          why: '',
          duration_ms: 1.5,
        },
        {
          engine: 'b',
          build: 'b',
          state_digest: '',
          readout_digest: '',
          outcome: 'ABSENT',
          why: 'ENGINE_LOST',
          duration_ms: 1.5,
        },
      ],
      differences: [
        {
          ...{ engine: 'a', reference: 'c', text: 'a differed from c' },
          ...{ state_step: 3, state_node: 'lif1', spike_step: 5, spike_node: 'lif1', spike_neuron: 17 },
        },
        { engine: 'd', reference: '', text: 'where d differed is not known: gone' },
      ],
    });
    expect([log.written, log.dropped]).toEqual([1, 0]);
  });

  it('gives the time at which a dispute happened, even if it is recorded later', async () => {
    const log = open();
    log.record(dispute(), 1_000);
    await log.stop();
    expect(JSON.parse(linesOf(file)[0]!)).toMatchObject({ time: '1970-01-01T00:00:01.000Z' });
  });

  it('has no trace id if the request was not traced', async () => {
    const log = open();
    log.record(dispute({ traceId: '' }));
    await log.stop();
    expect(JSON.parse(linesOf(file)[0]!)).not.toHaveProperty('trace_id');
  });

  it('writes a hash instead of the input if the setting says so', async () => {
    const log = open({ input: 'hashed' });
    log.record(dispute({ data: Buffer.from('abc') }));
    await log.stop();
    const record = JSON.parse(linesOf(file)[0]!) as Record<string, unknown>;
    expect([record['input_xxh64'], 'input_f32_base64' in record]).toEqual(['44bc2cf5ad770999', false]);
  });

  it('writes the initial state of a message of a session', async () => {
    const log = open();
    log.record(dispute({ state: Buffer.from('abc') }));
    await log.stop();
    expect(JSON.parse(linesOf(file)[0]!)).toMatchObject({ input_f32_base64: 'AACAPwAAAEA=', state_base64: 'YWJj' });
  });

  it('writes a hash instead of the state if the setting says so', async () => {
    const log = open({ input: 'hashed' });
    log.record(dispute({ state: Buffer.from('abc') }));
    await log.stop();
    const record = JSON.parse(linesOf(file)[0]!) as Record<string, unknown>;
    expect([record['state_xxh64'], 'state_base64' in record]).toEqual(['44bc2cf5ad770999', false]);
  });

  it('counts the state towards the limit of a file', async () => {
    const log = open({ maxBytes: 1_000 });
    log.record(dispute({ state: Buffer.alloc(1_000) }));
    await log.stop();
    expect(Object.keys(JSON.parse(linesOf(file)[0]!) as object)).toEqual(
      expect.arrayContaining(['input_xxh64', 'state_xxh64']),
    );
  });

  it('writes a hash instead of an input that is larger than a file may be', async () => {
    const log = open({ maxBytes: 1_000 });
    log.record(dispute({ data: Buffer.alloc(1_000) }));
    await log.stop();
    expect(linesOf(file)[0]).toMatch(/"input_xxh64"/);
  });

  it('creates the folder, and a file that only its owner can read', async () => {
    file = join(file, 'in', 'a', 'folder.jsonl');
    const log = open();
    log.record(dispute());
    await log.stop();
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });
});

describe('rotation', () => {
  it('keeps the newest records within the limit, in the given number of files', async () => {
    const log = open({ maxBytes: 1_200, files: 3 }); // two records each
    for (let n = 0; n < 9; n += 1) log.record(dispute({ requestId: String(n) }));
    await log.stop();
    expect([idsIn(file), idsIn(`${file}.1`), idsIn(`${file}.2`)]).toEqual([['8'], ['6', '7'], ['4', '5']]);
    expect(existsSync(`${file}.3`)).toBe(false);
    expect(statSync(`${file}.1`).size).toBeLessThanOrEqual(1_200);
  });

  it('empties the file if there may be only one', async () => {
    const log = open({ maxBytes: 1_200, files: 1 });
    for (let n = 0; n < 3; n += 1) log.record(dispute({ requestId: String(n) }));
    await log.stop();
    expect([idsIn(file), existsSync(`${file}.1`)]).toEqual([['2'], false]);
  });

  it('continues the files of an earlier run', async () => {
    for (const n of [0, 1, 2]) {
      const log = open({ maxBytes: 1_200, files: 2 });
      log.record(dispute({ requestId: String(n) }));
      await log.stop();
    }
    expect([idsIn(file), idsIn(`${file}.1`)]).toEqual([['2'], ['0', '1']]);
  });
});

describe('after a failure', () => {
  it('an incomplete line of a crash damages no other line', async () => {
    writeFileSync(file, '{"request_id":"torn","mod');
    const log = open();
    log.record(dispute({ requestId: 'next' }));
    log.record(dispute({ requestId: 'last' }));
    await log.stop();
    const [torn, ...whole] = linesOf(file);
    expect(torn).toBe('{"request_id":"torn","mod');
    expect(whole.map((line) => (JSON.parse(line) as { request_id: string }).request_id)).toEqual(['next', 'last']);
  });

  it('a file that cannot be written loses records, is reported once and used again later', async () => {
    mkdirSync(file);
    const problems: string[] = [];
    const log = open({ onProblem: ({ message }) => problems.push(message) });
    log.record(dispute());
    log.record(dispute());
    await log.flush();
    expect([log.written, log.dropped]).toEqual([0, 2]);
    expect(problems).toEqual([expect.stringMatching(/EISDIR/)]);
    rmSync(file, { recursive: true });
    log.record(dispute({ requestId: 'at last' }));
    await log.stop();
    expect([log.written, log.dropped, idsIn(file)]).toEqual([1, 2, ['at last']]);
  });

  it('records that a slow disk cannot write in time are dropped and counted', async () => {
    const log = open();
    for (let n = 0; n < 1_000; n += 1) log.record(dispute()); // before the disk can write
    expect(log.dropped).toBe(1_000 - 256);
    await log.stop();
    expect([log.written, linesOf(file).length]).toEqual([256, 256]);
  });

  it('large inputs count by their size', async () => {
    const log = open({ input: 'hashed' });
    for (let n = 0; n < 10; n += 1) log.record(dispute({ data: Buffer.alloc(4 * 1_048_576) }));
    expect(log.dropped).toBe(6);
    await log.stop();
    expect(log.written).toBe(4);
  });

  it('it accepts no records after its end', async () => {
    const log = open();
    await log.stop();
    log.record(dispute());
    expect([log.dropped, existsSync(file)]).toEqual([1, false]);
  });
});
