import { describe, expect, it } from '@jest/globals';
import { build, context, engine, kindOf, question, version } from '../../../test/fakes/router-parts.ts';
import { fakeModel, fakePinsOf } from '../../../test/fakes/fake-engine.ts';
import { buildWhole } from '../../../test/fakes/router-parts.ts';
import { MAX_LAYER_COUNTS } from '../../engines/engine.ts';
import type { ModelVersion } from '../../models/repository.ts';
import type { RawInput } from '../check-input.ts';

const rate = { kind: 'rate', seed: 3 } as const;
const bins = { bin_us: 10, width: 3, height: 1, polarity: 'merged', value: 'count', order: 'ascending' } as const;

/** Returns what the engine got: shape and numbers. */
async function sent(over: Partial<ModelVersion>, input: RawInput): Promise<unknown> {
  const only = engine('a');
  const pins = fakePinsOf({ inputKind: 'series' });
  const { router } = buildWhole([only], [version(1, { inputKind: 'series', ...over })], {}, 1e6, pins);
  await router.reason(question({ input }), context()).catch(() => undefined); // the fake answers with 16 steps
  const { shape, data } = only.calls[0]!.input;
  return [shape, [...new Float32Array(Uint8Array.from(data).buffer)]];
}

const floats = (...values: number[]): Buffer => Buffer.from(new Float32Array(values).buffer);

describe('the validated input', () => {
  it('is converted to binary32', async () => {
    const input = { field: 'tensor', shape: [2, 3], dtype: 'UINT8', data: Buffer.of(1, 2, 3, 4, 5, 255) } as const;
    expect(await sent({}, input)).toEqual([
      [2, 3],
      [1, 2, 3, 4, 5, 255],
    ]);
  });

  it('is encoded as spikes for the model’s steps if the model has an encoder', async () => {
    const input = { field: 'encoding', shape: [3], dtype: '', data: floats(0, 1, 2) } as const;
    expect(await sent({ encoder: rate, steps: 2 }, input)).toEqual([
      [2, 3],
      [0, 1, 1, 0, 1, 1],
    ]);
  });

  it('keeps the steps of a series that is encoded by its differences', async () => {
    const encoder = { kind: 'delta', threshold: 1, off: false } as const;
    const input = { field: 'tensor', shape: [2, 3], dtype: '', data: floats(0, 1, 2, 2, 1, 2) } as const;
    expect(await sent({ encoder, steps: 9 }, input)).toEqual([
      [2, 3],
      [0, 0, 0, 1, 0, 0],
    ]);
  });

  it('is a series for a list of events', async () => {
    const list = { times: Buffer.of(5, 16), x: Buffer.of(2, 0), y: Buffer.of(0, 0), polarity: Buffer.of(0, 1) };
    const input = { field: 'events', events: { ...list, startUs: undefined, steps: 0 } } as const;
    expect(await sent({ events: bins }, input)).toEqual([
      [2, 3],
      [0, 0, 1, 1, 0, 0],
    ]);
  });
});

describe('validation', () => {
  const noEvents = {
    times: Buffer.of(1),
    x: Buffer.of(0),
    y: Buffer.of(0),
    polarity: Buffer.of(1),
    startUs: 0,
    steps: 1,
  };

  it('refuses events for a model that takes none', async () => {
    const request = question({ input: { field: 'events', events: noEvents } });
    expect(await kindOf(build([engine('a')]).reason(request, context()))).toBe('INPUT_KIND');
  });

  it('refuses a detail that is too large for the steps of the input, and calls no engine', async () => {
    const only = engine('a');
    const layers = ['a', 'b', 'c'].map((node) => ({ node, neurons: 1 }));
    const pins = fakePinsOf({ inputKind: 'series', layers });
    const { router } = buildWhole([only], [version(1, { inputKind: 'series' })], {}, 1e6, pins);
    const steps = Math.floor(MAX_LAYER_COUNTS / layers.length) + 1;
    const input = { field: 'tensor', shape: [steps, 3], dtype: 'UINT8', data: Buffer.alloc(3 * steps) } as const;
    expect(await kindOf(router.reason(question({ input, detail: 'LAYERS' }), context()))).toBe('DETAIL_TOO_LARGE');
    expect(only.calls).toEqual([]);
  });

  it('refuses a model if the size of its events differs from the input of its network', async () => {
    const router = build([engine('a')], [version(1, { events: { ...bins, width: 4 } })]);
    expect(await kindOf(router.reason(question(), context()))).toBe('MODEL_INVALID');
  });

  it('refuses a series if the encoder takes one step', async () => {
    const input = { field: 'tensor', shape: [2, 3], dtype: '', data: floats(1, 1, 1, 1, 1, 1) } as const;
    const router = build([engine('a')], [version(1, { inputKind: 'series', encoder: rate })]);
    expect(await kindOf(router.reason(question({ input }), context()))).toBe('INPUT_KIND');
  });

  it('refuses an encoder that would make a series over the limit', async () => {
    const only = engine('a');
    const size = 2 ** 20;
    const pins = fakePinsOf({ inputSize: size });
    const versions = [version(1, { inputShape: undefined, encoder: rate, steps: 17 })];
    const { router } = buildWhole([only.up(fakeModel({ inputSize: size }))], versions, {}, 1e6, pins);
    const input = { field: 'tensor', shape: [size], dtype: 'UINT8', data: Buffer.alloc(size) } as const;
    await expect(router.reason(question({ input }), context())).rejects.toMatchObject({
      ...{ kind: 'INPUT_STEPS', violation: { field: 'tensor.shape' } },
      message: 'the encoder would make 17 steps of 1048576 numbers, over 16777216; set fewer steps in model.yaml',
    });
    expect(only.calls).toEqual([]);
  });
});
