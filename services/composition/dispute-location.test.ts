import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { FakeEngine, fakeModel, fakePins } from '../../test/fakes/fake-engine.ts';
import { everyThird, fakeRecording } from '../../test/fakes/recordings.ts';
import { until } from '../../test/support/until.ts';
import { settingsSchema } from '../config/schema.ts';
import { RequestTrace } from '../core/request-trace.ts';
import type { Recording } from '../engines/engine.ts';
import { EnginePool } from '../engines/pool.ts';
import { Quarantine } from '../engines/quarantine.ts';
import type { CastBallot, Dispute } from '../routing/dispute.ts';
import { EventLog } from '../telemetry/event-log.ts';
import { SystemEvents } from '../telemetry/system-events.ts';
import type { Log } from '../telemetry/log.ts';
import { Disputes } from './disputes.ts';

const folder = mkdtempSync(join(tmpdir(), 'tandem-disputes-'));
const BREAKER = { failurePercent: 50, minRequests: 5, windowMs: 1_000, resetMs: 100 };
const QUARANTINE = { dissents: 1, windowMs: 10_000, sitOutMs: 10_000, sitOutMaxMs: 10_000 };
const DIFFERED = 'engine-2 differed from engine-1 first at step 1 in node "lif" (potentials)';
const SPIKE = 'first different spike: step 2, node "lif", neuron 9, where only engine-2 spiked';

let file: string;
let pool: EnginePool;
let disputes: Disputes;
let events: { text: string; data: unknown }[];
let logged: string[];
let late: { name: string; attributes: unknown }[];
/** The response of each engine to a request for a recording. */
let fetch: Record<string, () => Promise<Recording>>;

beforeEach(() => {
  file = join(mkdtempSync(join(folder, 'case-')), 'disputes.jsonl');
  pool = new EnginePool(fakePins, BREAKER);
  fetch = {
    'engine-1': async () => fakeRecording(),
    'engine-2': async () =>
      fakeRecording({
        state: (step) => (step >= 1 ? 99 : step),
        spikes: (step, neuron) => everyThird(step, neuron) !== (step >= 2 && neuron === 9),
      }),
  };
  for (const id of ['engine-1', 'engine-2']) {
    const engine = new FakeEngine(id).up(fakeModel());
    engine.recorded = () => fetch[id]!();
    pool.add(engine);
  }
  [events, logged, late] = [[], [], []];
  const log = { warn: (_: object, text: string) => logged.push(text), info: () => 0, error: () => 0 } as unknown as Log;
  const eventLog = new EventLog({ maxEvents: 100, maxBytes: 100_000 });
  const publish = eventLog.publish.bind(eventLog);
  eventLog.publish = (event) => {
    events.push(event as (typeof events)[0]);
    return publish(event);
  };
  const parts = {
    pool,
    quarantine: new Quarantine(pool, QUARANTINE, () => []),
    system: new SystemEvents(log, eventLog),
  };
  disputes = new Disputes(
    { ...parts, pins: { find: () => undefined } },
    settingsSchema.parse({ disputes: { file } }),
    log,
  );
});

afterEach(() => disputes.stop());

afterAll(() => rmSync(folder, { recursive: true, force: true }));

function trace(): RequestTrace {
  const about = {
    name: 'Reason',
    traceId: 'f'.repeat(32),
    parentSpanId: '',
    traceState: '',
    isSampled: true,
    isOwn: false,
  };
  const keeper = { ended: () => undefined, late: (_: unknown, event: (typeof late)[0]) => late.push(event) };
  return new RequestTrace({ ...about, withLayers: false, startMs: 0 }, keeper);
}

function dispute(over: Partial<Dispute> = {}): Dispute {
  const cast = (engineId: string, outcome: CastBallot['outcome'], stateDigest: bigint): CastBallot => {
    return { engineId, outcome, stateDigest, readoutDigest: 3n, why: '', durationMs: 1, recordingId: 5n };
  };
  return {
    input: { model: 'm', version: 1, shape: [2], data: new Uint8Array(8).fill(7) },
    ...{
      strategy: 'REDUNDANT',
      verdict: 'MAJORITY',
      wrong: ['engine-2'],
      right: { stateDigest: 1n, readoutDigest: 3n },
    },
    ballots: [cast('engine-1', 'AGREED', 1n), cast('engine-2', 'DISSENTED', 2n)],
    ...over,
  };
}

function records(): { differences: unknown[]; input_f32_base64: string }[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as ReturnType<typeof records>[0]);
}

describe('a dispute', () => {
  it('is located in the record, event, log line, dashboard and trace', async () => {
    const { root } = trace();
    disputes.add(dispute({ span: root }));
    root.trace.end();
    await until(() => events.length === 1, { what: 'the event' });
    const sentence = `${DIFFERED}; ${SPIKE}`;
    expect([events[0]?.text, logged]).toEqual([`dispute: ${sentence}`, [`dispute: ${sentence}`]]);
    expect(disputes.recent.recent(9)).toMatchObject([
      {
        wrong: ['engine-2'],
        differences: [
          {
            engine: 'engine-2',
            reference: 'engine-1',
            text: sentence,
            raster: { node: 'lif', steps: 4, stateStep: 1 },
          },
        ],
      },
    ]);
    expect(late).toMatchObject([{ name: 'dispute located', attributes: { 'tandem.difference': sentence } }]);
    await disputes.stop();
    expect(records()).toMatchObject([
      {
        trace_id: 'f'.repeat(32),
        differences: [
          {
            ...{ engine: 'engine-2', reference: 'engine-1', state_step: 1, state_node: 'lif' },
            ...{ spike_step: 2, spike_node: 'lif', spike_neuron: 9, text: sentence },
          },
        ],
      },
    ]);
  });

  it('puts an engine into quarantine without waiting for its recording', async () => {
    fetch['engine-2'] = () => new Promise(() => undefined);
    disputes.add(dispute());
    expect(pool.find('engine-2').quarantine).toMatch(/contradicted the majority/);
    expect(disputes.recent.recent(9)).toMatchObject([{ differences: [] }]);
    expect(events).toEqual([]);
  });

  it('is recorded with a copy of its input if the router stops meanwhile', async () => {
    fetch['engine-2'] = () => new Promise(() => undefined);
    const pending = dispute();
    disputes.add(pending);
    pending.input.data.fill(0);
    await disputes.stop();
    const text = 'where engine-2 differed is not known: the router is stopping';
    expect(records()).toMatchObject([
      { input_f32_base64: 'BwcHBwcHBwc=', differences: [{ engine: 'engine-2', reference: '', text }] },
    ]);
    expect(events.map((event) => event.text)).toEqual([`dispute: ${text}`]);
  });

  it('reports that the location is unknown if no run was recorded', async () => {
    const { ballots, ...rest } = dispute();
    disputes.add({ ...rest, ballots: ballots.map((cast) => ({ ...cast, recordingId: 0n })) });
    await until(() => events.length === 1, { what: 'the event' });
    expect(events[0]?.text).toBe('dispute: where engine-2 differed is not known: it did not record that run');
    expect(late).toEqual([]);
  });
});
