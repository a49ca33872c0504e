import { describe, expect, it } from '@jest/globals';
import { engine, buildWhole, build, question, context, kindOf } from '../../test/fakes/router-parts.ts';
import { type FakeEngine, fakeInference } from '../../test/fakes/fake-engine.ts';
import { RouterError } from '../core/errors.ts';
import type { Detail, Inference, LayerActivity } from '../core/inference.ts';
import { silent } from '../../test/fakes/fake-parts.ts';
import { detailDigest } from '../engines/detail-digest.ts';
import { sizeOf } from './answer.ts';
import { Audit } from './audit.ts';
import type { Dispute } from './dispute.ts';
import { readoutDigest } from '../engines/readout-digest.ts';

type Details = Pick<Inference, 'layers' | 'readoutPerStep'>;

describe('detail', () => {
  const layers: readonly LayerActivity[] = [
    {
      ...{ node: 'lif', neurons: 4, spikes: 4, spikesPerStep: [4, ...Array<number>(15).fill(0)] },
      ...{ eventSteps: [], eventNeurons: [], eventsLeftOut: 0 },
    },
  ];
  const readoutPerStep = Buffer.alloc(4 * 16 * 2, 1);
  const raster = layers.map((layer) => ({ ...layer, eventSteps: [0, 0, 0, 0], eventNeurons: [0, 1, 2, 3] }));
  /** Returns layers if they are requested. */
  function telling(id: string): FakeEngine {
    const answering = engine(id);
    answering.behaviour = ({ detail, digestOnly }) =>
      Promise.resolve(
        digestOnly === true
          ? fakeInference({ spikeCounts: [], potentials: Buffer.alloc(0), readoutDigest: WHOLE_DIGEST })
          : fakeInference(
              { LAYERS: { layers }, RASTER: { layers: raster }, READOUT: { readoutPerStep }, SUMMARY: {} }[
                detail ?? 'SUMMARY'
              ],
            ),
      );
    return answering;
  }
  /** The readout digest of fakeInference(). */
  const WHOLE_DIGEST = readoutDigest(fakeInference());

  it('is requested from the engine and returned in the answer', async () => {
    const only = telling('a');
    const { answer } = await build([only]).reason(question({ detail: 'RASTER' }), context());
    expect([only.calls[0]?.input.detail, answer.inference.layers]).toEqual(['RASTER', raster]);
  });

  it('is not taken from a cached answer without it', async () => {
    const only = telling('a');
    const router = build([only]);
    const ask = async (detail: Detail): Promise<unknown[]> => {
      const { answer, cache } = await router.reason(question({ cache: 'USE', detail }), context());
      return [cache, answer.inference.layers];
    };
    expect(await ask('SUMMARY')).toEqual(['MISS', undefined]);
    expect(await ask('LAYERS')).toEqual(['MISS', layers]);
    expect(await ask('LAYERS')).toEqual(['HIT', layers]);
    expect(await ask('SUMMARY')).toEqual(['HIT', undefined]);
  });

  it('RASTER bypasses the cache', async () => {
    const { router } = buildWhole([telling('a')]);
    const ask = (): Promise<{ cache: string }> =>
      router.reason(question({ cache: 'USE', detail: 'RASTER' }), context());
    expect([(await ask()).cache, (await ask()).cache]).toEqual(['BYPASSED', 'BYPASSED']);
  });

  it('is not shared with a concurrent request for less', async () => {
    const only = telling('a');
    const router = build([only]);
    const both = (['SUMMARY', 'LAYERS'] as const).map((detail) =>
      router.reason(question({ cache: 'USE', detail }), context()),
    );
    expect((await Promise.all(both)).map(({ answer }) => answer.inference.layers)).toEqual([undefined, layers]);
  });

  it('is counted in the size of a cache entry', async () => {
    const plain = (await build([telling('a')]).reason(question(), context())).answer;
    const { answer } = await build([telling('a')]).reason(question({ detail: 'LAYERS' }), context());
    expect(sizeOf(answer) - sizeOf(plain)).toBe((8 + 5) * 16 + 200);
  });

  it('is requested from every engine of a vote, in full', async () => {
    const engines = ['a', 'b', 'c'].map(telling);
    const request = question({ detail: 'LAYERS', strategy: 'REDUNDANT' });
    const { answer, grade } = await build(engines).reason(request, context());
    expect([grade, answer.inference.layers]).toEqual(['UNANIMOUS', layers]);
    expect(engines.map(({ calls }) => calls[0]!.input)).toMatchObject(
      Array(3).fill({ detail: 'LAYERS', digestOnly: false }),
    );
  });

  it('READOUT is returned in memory of its own', async () => {
    const { answer } = await build([telling('a')]).reason(question({ detail: 'READOUT' }), context());
    expect(answer.inference.readoutPerStep).toEqual(new Uint8Array(readoutPerStep));
    expect(answer.inference.readoutPerStep!.buffer.byteLength).toBe(readoutPerStep.length);
  });

  describe.each(['LAYERS', 'RASTER', 'READOUT'] as const)(
    'an engine that falsifies %s with correct digests',
    (detail) => {
      const reversed = (layer: LayerActivity): number[] => layer.spikesPerStep.toReversed();
      const forged: Record<Detail, Details> = {
        SUMMARY: {},
        LAYERS: { layers: layers.map((layer) => ({ ...layer, spikesPerStep: reversed(layer) })) },
        RASTER: {
          layers: raster.map((layer) => ({
            ...{ ...layer, spikesPerStep: reversed(layer) },
            eventSteps: [15, 15, 15, 15],
          })),
        },
        READOUT: { readoutPerStep: Buffer.alloc(4 * 16 * 2, 2) },
      };
      const answering: Details = {
        ...{ SUMMARY: {}, LAYERS: { layers }, RASTER: { layers: raster } },
        READOUT: { readoutPerStep: new Uint8Array(readoutPerStep) },
      }[detail];

      function withLiar(): FakeEngine[] {
        const engines = ['a', 'b', 'c'].map(telling);
        engines[0]!.behaviour = (input) => {
          const { detail: request = 'SUMMARY' } = input;
          return Promise.resolve(fakeInference(forged[request]));
        };
        return engines;
      }

      it('is outvoted and named', async () => {
        const disputes: Dispute[] = [];
        const router = build(withLiar(), undefined, { onDispute: (dispute) => disputes.push(dispute) });
        const { answer, grade } = await router.reason(question({ detail, strategy: 'REDUNDANT' }), context());
        expect({ grade, ...answer.inference }).toMatchObject({ grade: 'MAJORITY', ...answering });
        expect(disputes).toMatchObject([{ wrong: ['a'], right: { detailDigest: detailDigest(answering) } }]);
      });

      it('is named by an audit', async () => {
        const disputes: Dispute[] = [];
        const onDispute = (dispute: Dispute): unknown => disputes.push(dispute);
        const audit = new Audit({ rate: 1, observer: silent, onDispute });
        await build([withLiar()[0]!, telling('b'), telling('c')], undefined, { audit }).reason(
          question({ detail }),
          context(),
        );
        await new Promise((resolve) => setImmediate(resolve));
        expect(disputes).toMatchObject([{ verdict: 'AUDIT_DISPUTED', wrong: ['a'] }]);
      });
    },
  );

  it('is refused with DETAIL_TOO_LARGE if it is too large, also by a vote', async () => {
    const engines = ['a', 'b', 'c'].map(engine);
    for (const each of engines) {
      each.behaviour = () => Promise.reject(new RouterError('DETAIL_TOO_LARGE', 'send fewer steps'));
    }
    const router = build(engines);
    expect(await kindOf(router.reason(question({ detail: 'LAYERS' }), context()))).toBe('DETAIL_TOO_LARGE');
    const voted = router.reason(question({ detail: 'LAYERS', strategy: 'REDUNDANT' }), context());
    expect(await kindOf(voted)).toBe('DETAIL_TOO_LARGE');
  });
});
