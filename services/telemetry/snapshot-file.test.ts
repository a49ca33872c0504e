import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from '@jest/globals';
import { metered, meteredEngine } from '../../test/support/metered.ts';
import type { Meter, Reading } from './meter.ts';
import { SnapshotFile } from './snapshot-file.ts';

const root = mkdtempSync(join(tmpdir(), 'tandem-metrics-'));
const ENGINES = [meteredEngine('engine-1')];
let file: string;
let problems: string[];

beforeEach(() => {
  file = join(mkdtempSync(join(root, 'case-')), 'metrics.json');
  problems = [];
});

afterAll(() => rmSync(root, { recursive: true, force: true }));

function snapshots(meter: Meter): SnapshotFile {
  return new SnapshotFile(meter, { file, intervalMs: 3_600_000, onProblem: ({ message }) => problems.push(message) });
}

/** A run that has counted each kind of count, up to its end. */
async function firstRun(): Promise<Reading> {
  const { metrics, meter, around } = metered({ engines: ENGINES });
  const file = snapshots(meter);
  await file.start();
  for (let k = 1; k <= 100; k += 1) metrics.requestEnded('Reason', 'OK', k / 7);
  metrics.requestEnded('Reason', 'NO_ENGINE', 1);
  metrics.planned('FASTEST');
  metrics.attemptEnded('engine-1', 'OK', 2);
  metrics.attemptEnded('engine-1', 'ENGINE_LOST', 2);
  metrics.attemptEnded('gone', 'OK', 2);
  metrics.engineLate('engine-1');
  metrics.computed('m', 3, { computeUs: 9, batchItems: 1, synapticOperations: 5n, totalSpikes: 2n });
  metrics.answered('m', 3);
  metrics.cacheUsed('MISS');
  metrics.voted('MAJORITY', ['engine-1']);
  around.cache = { entries: 1, bytes: 10, evictions: 4 };
  around.connections = { open: 2, total: 6 };
  around.spansDropped = 8;
  await file.stop();
  return meter.read();
}

async function nextRun(): Promise<Meter> {
  const { meter } = metered({ engines: ENGINES });
  const file = snapshots(meter);
  await file.start();
  await file.stop();
  return meter;
}

describe('the metrics file', () => {
  it('keeps counters, percentiles and totals over a restart', async () => {
    const before = await firstRun();
    const after = (await nextRun()).read();
    const { engines, requestTypes, ...counts } = before.counts;
    expect(after.counts).toMatchObject({
      ...counts,
      requestTypes: requestTypes.map(({ exemplars: _, ...rest }) => rest),
    });
    expect(after.counts.engines.get('engine-1')).toEqual(engines.get('engine-1'));
    expect(after.standing).toMatchObject({
      cache: { evictions: 4 },
      connections: { open: 0, total: 6 },
      spans: { dropped: 8 },
    });
    expect(problems).toEqual([]);
  });

  it('leaves out engines that have left the pool', async () => {
    await firstRun();
    expect([...(await nextRun()).read().counts.engines.keys()]).toEqual(['engine-1']);
  });

  it('starts at 0 if there is none yet, and is written', async () => {
    expect((await nextRun()).read().counts.requests).toBe(0);
    expect([existsSync(file), statSync(file).mode & 0o777, problems]).toEqual([true, 0o600, []]);
  });

  it('is the complete old one after a crash during a write', async () => {
    await firstRun();
    writeFileSync(`${file}.new`, readFileSync(file).subarray(0, 100));
    expect((await nextRun()).read().counts.requests).toBe(101);
  });

  const spoil: [string, (path: string) => void, RegExp][] = [
    ['is cut short', (path) => truncateSync(path, statSync(path).size - 20), /checksum is wrong/],
    ['is empty', (path) => truncateSync(path, 0), /not a metrics file/],
    ['holds something else', (path) => writeFileSync(path, '[1, 2]\n'), /not a metrics file/],
    ['holds null', (path) => writeFileSync(path, 'null\nnull\n'), /not a metrics file/],
    [
      'has a digit changed',
      (path) => writeFileSync(path, readFileSync(path, 'utf8').replace('"failed":1', '"failed":9')),
      /checksum is wrong/,
    ],
    [
      'is of a later version',
      (path) => writeFileSync(path, readFileSync(path, 'utf8').replace('"version":1', '"version":2')),
      /has version 2, and this router reads 1/,
    ],
    ['is too large', (path) => truncateSync(path, 65 * 1_048_576), /more than the 67108864/],
  ];
  it.each(spoil)('that %s is reported, renamed and not used', async (_what, damage, why) => {
    await firstRun();
    damage(file);
    expect((await nextRun()).read().counts.requests).toBe(0);
    expect(problems).toEqual([expect.stringMatching(why)]);
    expect(problems[0]).toMatch(/\.damaged; counting starts at 0$/);
    expect(existsSync(`${file}.damaged`)).toBe(true);
    expect((await nextRun()).read().counts.requests).toBe(0);
    expect(problems).toHaveLength(1); // the new file is correct
  });

  it('that cannot be written is reported once', async () => {
    const { meter } = metered();
    mkdirSync(`${file}.new`);
    const failing = snapshots(meter);
    await failing.save();
    await failing.save();
    expect(problems).toEqual([expect.stringMatching(/cannot write .*EISDIR/)]);
    rmSync(`${file}.new`, { recursive: true });
    await failing.save();
    expect(existsSync(file)).toBe(true);
  });
});
