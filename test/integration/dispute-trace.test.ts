// From a dispute to the trace of its request.
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { flipDigestBit } from '../fakes/lying-engine.ts';
import { type System, startSystem } from '../support/system.ts';
import { Fleet, Inputs } from './router-table/fleet.ts';

const IDS = ['one', 'liar', 'three'] as const;
const inputs = new Inputs();
let fleet: Fleet<(typeof IDS)[number]>;
let system: System;
let file: string;

beforeAll(async () => {
  fleet = await Fleet.start(IDS);
  fleet.front('liar').lie = flipDigestBit;
  for (const id of ['one', 'three'] as const) fleet.front(id).delayMs = 50; // so that the lying engine is not late
});

afterAll(() => fleet.stop());

afterEach(() => system.stop());

async function start(tracing: Record<string, unknown>): Promise<void> {
  file = join(mkdtempSync(join(tmpdir(), 'tandem-disputes-')), 'disputes.jsonl');
  system = await startSystem({
    ...{ sidecars: fleet.settings, spawn: { count: 0 }, local: { enabled: false }, strategy: 'REDUNDANT' },
    ...{ disputes: { file }, tracing },
  });
}

async function get<T>(path: string): Promise<T> {
  return (await (await fetch(`http://${system.httpAddress}${path}`)).json()) as T;
}

/** The entries of the dashboard, and of the file after the router has stopped. */
async function traceIds(): Promise<{ shown: string | undefined; recorded: string | undefined }> {
  const { disputes } = await get<{ disputes: { traceId: string }[] }>('/api/disputes');
  await system.stop();
  const [line = '{}'] = readFileSync(file, 'utf8').split('\n');
  return { shown: disputes[0]?.traceId, recorded: (JSON.parse(line) as { trace_id?: string }).trace_id };
}

describe('a dispute', () => {
  it('names the trace of its request, which is kept although it is not sampled', async () => {
    await start({ ratio: 0 });
    const { traceId } = await system.reason(inputs.request());
    const { spans } = await get<{ spans: { events: { name: string }[] }[] }>(`/api/traces/${traceId}`);
    expect(spans.flatMap(({ events }) => events).map(({ name }) => name)).toContain('dispute');
    expect(await traceIds()).toEqual({ shown: traceId, recorded: traceId });
  });

  it('names none if requests are not traced', async () => {
    await start({ enabled: false });
    await system.reason(inputs.request());
    expect(await traceIds()).toEqual({ shown: '', recorded: undefined });
  });
});
