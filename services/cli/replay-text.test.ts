import { describe, expect, it } from '@jest/globals';
import { ReplayInputResponse } from '../generated/tandem/v1/engines.ts';
import type { DisputeRecord } from './replay-records.ts';
import { decimal, describeReplay } from './replay-text.ts';

const record: DisputeRecord = {
  time: '2026-01-02T03:04:05.678Z',
  request_id: 'r-1',
  model: 'm',
  model_version: 2,
  model_id: '000000000000001f',
  strategy: 'REDUNDANT',
  verdict: 'MAJORITY',
  shape: [2],
  input_f32_base64: 'AACAPwAAAEA=',
  ballots: [
    { engine: 'local', state_digest: '000000000000000a', readout_digest: '', outcome: 'AGREED', why: '' },
    { engine: 'engine-1', state_digest: '', readout_digest: '', outcome: 'ABSENT', why: 'ENGINE_LOST' },
    { engine: 'engine-7', state_digest: '000000000000000c', readout_digest: '', outcome: 'DISSENTED', why: '' },
  ],
  differences: [],
};

const engine = (engineId: string, stateDigest: bigint, error = '') => {
  return { engineId, build: 'b', stateDigest, readoutDigest: stateDigest && 5n, error };
};

function text(over: Parameters<typeof ReplayInputResponse.fromPartial>[0]): string {
  return describeReplay(record, 3, ReplayInputResponse.fromPartial({ modelId: 0x1fn, ...over }));
}

describe('describeReplay', () => {
  it('names the trace of the request if the record has one', () => {
    const traced = { ...record, trace_id: '0af7651916cd43dd8448eb211c80319c' };
    const [first] = describeReplay(traced, 3, ReplayInputResponse.fromPartial({ modelId: 0x1fn })).split('\n');
    expect(first).toMatch(/\(request r-1\) \(trace 0af7651916cd43dd8448eb211c80319c\)$/);
  });

  it('compares the current digests with the recorded ones', () => {
    expect(text({ engines: [engine('local', 10n), engine('engine-1', 10n), engine('engine-2', 10n)] })).toBe(
      `record 3, 2026-01-02T03:04:05.678Z: m/2, REDUNDANT came to MAJORITY (request r-1)

ENGINE    GROUP  THEN              NOW               READOUT           BUILD
local     A      000000000000000a  000000000000000a  0000000000000005  b
engine-1  A      ENGINE_LOST       000000000000000a  0000000000000005  b
engine-2  A      not asked         000000000000000a  0000000000000005  b
engine-7: no longer in the pool; then 000000000000000c

All 3 engines that answered agree, to the bit.`,
    );
  });

  it('names the groups and the first difference from the largest group', () => {
    const place = { step: 3, node: 'lif1', element: 17, quantity: 'potential' };
    const differences = [
      { ...place, engineId: 'engine-1', referenceEngineId: 'local', valueBits: 0x3f800001, referenceBits: 0xbf800000 },
    ];
    const engines = [engine('engine-1', 11n), engine('local', 10n), engine('engine-2', 10n)];
    expect(text({ engines, differences })).toMatch(
      `
The engines differ. A: local, engine-2; B: engine-1.

engine-1 differs from local first at step 3, node "lif1", neuron 17, in its potential:
  engine-1  3f800001  1.0000001
  local     bf800000  -1`,
    );
  });

  it('names the reason why an engine has no digests', () => {
    const words = text({ engines: [engine('local', 10n), engine('engine-1', 0n, 'down: gone')] });
    expect(words).toMatch(/^engine-1 +- +ENGINE_LOST +- +- +b$/m);
    expect(words).toMatch(/^engine-1: down: gone$/m);
    expect(words).toMatch(/^Only local answered\.$/m);
    expect(text({ engines: [engine('local', 0n, 'down: gone')] })).toMatch(/^No engine answered\.$/m);
  });

  it('shows the recorded difference and that the fault did not occur again', () => {
    const differed = 'engine-7 differed from local first at step 3 in node "lif1" (potentials)';
    const located = { ...record, differences: [{ engine: 'engine-7', reference: 'local', text: differed }] };
    const response = ReplayInputResponse.fromPartial({ engines: [engine('local', 10n), engine('engine-2', 10n)] });
    expect(describeReplay(located, 3, response)).toMatch(
      `
At the time of the dispute, according to the engines’ recordings of the run:
  ${differed}

All 2 engines that answered agree, to the bit.
The fault did not occur again. Its location at the time of the dispute is above.`,
    );
  });

  it('shows the recorded difference and that the engines still differ', () => {
    const differences = [{ engine: 'engine-7', reference: 'local', text: 'engine-7 differed from local' }];
    const engines = [engine('local', 10n), engine('engine-7', 11n)];
    const words = describeReplay({ ...record, differences }, 3, ReplayInputResponse.fromPartial({ engines }));
    expect(words).toMatch(/^ {2}engine-7 differed from local$/m);
    expect(words).toMatch(/^The engines differ\. A: local; B: engine-7\.$/m);
    expect(words).not.toMatch(/did not come back/);
  });

  it('does not claim a location that is unknown', () => {
    const text = 'where engine-7 differed is not known: it did not record that run';
    const unknown = { ...record, differences: [{ engine: 'engine-7', reference: '', text }] };
    const response = ReplayInputResponse.fromPartial({ engines: [engine('local', 10n), engine('engine-2', 10n)] });
    expect(describeReplay(unknown, 3, response)).toContain(text);
    expect(describeReplay(unknown, 3, response)).not.toMatch(/come back/);
  });

  it('reports that the model has changed', () => {
    expect(text({ engines: [], modelId: 32n })).toMatch(/have changed: model id 0{14}20, then 0{14}1f/);
  });
});

describe('decimal', () => {
  it.each([
    [0x3dcccccd, '0.1'],
    [0x3dccccce, '0.10000001'],
    [0x80000000, '-0'],
    [0x00000001, '1e-45'],
    [0x7f7fffff, '3.4028235e+38'],
    [0x7fc00000, 'NaN'],
    [0xff800000, '-Infinity'],
    [0x4b800000, '16777216'],
  ])('writes %p as %s', (bits, words) => {
    expect(decimal(bits)).toBe(words);
  });
});
