import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { FakeEngine, fakeInference, fakeModel, fakePins } from '../../test/fakes/fake-engine.ts';
import { fakeBreaker } from '../../test/fakes/fake-parts.ts';
import type { Settings } from '../config/schema.ts';
import { EnginePool } from '../engines/pool.ts';
import { Quarantine } from '../engines/quarantine.ts';
import type { CastBallot, Dispute } from '../routing/dispute.ts';
import type { Log } from '../telemetry/log.ts';
import type { SystemEvents } from '../telemetry/system-events.ts';
import { Disputes } from './disputes.ts';

const input = { model: 'm', version: 1, shape: [3], data: Buffer.alloc(12) };
const options = { dissents: 3, windowMs: 60_000, sitOutMs: 60_000, sitOutMaxMs: 60_000 };
const settings = { disputes: { file: '', max_bytes: 1, files: 1, input: 'hashed' } } as unknown as Settings;

let pool: EnginePool;
let quarantine: Quarantine;
let fakes: FakeEngine[];
let logged: string[];
let problems: number;
let tell: (name: string) => void;
let disputes: Disputes;

beforeEach(() => {
  pool = new EnginePool(fakePins, fakeBreaker);
  fakes = ['a', 'b', 'c'].map((id) => new FakeEngine(id));
  for (const fake of fakes) pool.add(fake.up(fakeModel()));
  quarantine = new Quarantine(pool, options, () => [{ input, stateDigest: 99n }]);
  [logged, problems] = [[], 0];
  tell = (name) => void logged.push(name);
  const system = { tell: (name: string) => tell(name) } as unknown as SystemEvents;
  const log = { error: () => (problems += 1) } as unknown as Log;
  disputes = new Disputes({ pool, quarantine, system, pins: fakePins }, settings, log);
});

afterEach(() => {
  quarantine.stop();
  jest.restoreAllMocks();
});

function cast(engineId: string, outcome: CastBallot['outcome'], over: Partial<CastBallot> = {}): CastBallot {
  return { engineId, outcome, stateDigest: 1n, readoutDigest: 1n, why: '', durationMs: 1, recordingId: 0n, ...over };
}

function dispute(over: Partial<Dispute>): Dispute {
  return { input, strategy: 'S', verdict: 'DISPUTED', ballots: [], wrong: [], right: undefined, ...over };
}

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const states = (): string[] => pool.engines.map(({ state }) => state);
const calls = (): number[] => fakes.map((fake) => fake.calls.length);

describe('Disputes.add', () => {
  it('records the state of the session', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'tandem-disputes-'));
    const file = join(folder, 'disputes.jsonl');
    const recording = { disputes: { file, max_bytes: 1_000, files: 1, input: 'included' } } as unknown as Settings;
    const system = { tell: () => undefined } as unknown as SystemEvents;
    const recorder = new Disputes({ pool, quarantine, system, pins: fakePins }, recording, undefined as unknown as Log);
    recorder.add(dispute({ input: { ...input, state: Buffer.from('abc') } }));
    await recorder.stop();
    expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({ shape: [3], state_base64: 'YWJj' });
    rmSync(folder, { recursive: true });
  });

  it('puts an engine into quarantine that was wrong too often', () => {
    const ballots = [cast('a', 'DISSENTED'), cast('b', 'AGREED'), cast('c', 'AGREED')];
    const right = { stateDigest: 1n, readoutDigest: 1n };
    for (let n = 0; n < 3; n += 1) disputes.add(dispute({ verdict: 'MAJORITY', ballots, wrong: ['a'], right }));
    expect(states()).toEqual(['QUARANTINED', 'READY', 'READY']);
  });

  it('puts an engine into quarantine for malformed answers without a right answer', () => {
    const ballots = [cast('a', 'ABSENT', { why: 'ENGINE_FAULT: malformed: too short' })];
    for (let n = 0; n < 3; n += 1) disputes.add(dispute({ verdict: 'MALFORMED', ballots, wrong: ['a'] }));
    expect(states()).toEqual(['QUARANTINED', 'READY', 'READY']);
  });

  it('checks the engines of an undecided dispute and puts the wrong one into quarantine', async () => {
    fakes[1]!.behaviour = () => Promise.resolve(fakeInference({ stateDigest: 666n }));
    disputes.add(dispute({ ballots: [cast('a', 'DISSENTED'), cast('b', 'DISSENTED'), cast('c', 'ABSENT')] }));
    await settle();
    expect([calls(), states()]).toEqual([
      [2, 1, 0],
      ['READY', 'QUARANTINED', 'READY'],
    ]);
  });

  it('checks no engine if it is known which one was wrong', () => {
    disputes.add(dispute({ verdict: 'MAJORITY', ballots: [cast('a', 'DISSENTED')], wrong: ['a'] }));
    expect(calls()).toEqual([0, 0, 0]);
  });

  it('applies the quarantine and does not throw if reporting fails', async () => {
    tell = () => {
      throw new Error('bug');
    };
    const ballots = [cast('a', 'DISSENTED')];
    for (let n = 0; n < 3; n += 1) disputes.add(dispute({ verdict: 'MAJORITY', ballots, wrong: ['a'] }));
    await disputes.stop();
    expect([states()[0], problems, disputes.recent.recent(9).length]).toEqual(['QUARANTINED', 3, 3]);
  });
});
