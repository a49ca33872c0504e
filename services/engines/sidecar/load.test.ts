import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { FakeSidecar, engineRefusal } from '../../../test/fakes/fake-sidecar.ts';
import type { LoadModelRequest } from '../../generated/tandem/engine/v1/engine.ts';
import { ModelDescription, RecordedNode } from '../../generated/tandem/engine/v1/engine.ts';
import type { ModelLoad } from '../engine.ts';
import { SidecarEngine } from './sidecar-engine.ts';

const context = { deadlineMs: Infinity, signal: new AbortController().signal };
const NIR = Uint8Array.of(1, 2, 3, 4);
/** Room that is left in a message besides the file. */
const SLACK = 1_100_000n;

let sidecar: FakeSidecar;
let engine: SidecarEngine;
let requests: LoadModelRequest[];
/** The reasons with which the engine refuses, in turn; empty: it loads. */
let refusals: string[];
/** Steps of the model that the engine loads. */
let steps: number;
let reads: number;

beforeEach(async () => {
  [requests, refusals, steps, reads] = [[], [], 16, 0];
  sidecar = await new FakeSidecar().start();
  sidecar.description = { ...sidecar.description, maxMessageBytes: SLACK + 4n };
  sidecar.onLoad = (request, reply) => {
    requests.push(request);
    const reason = refusals.shift() ?? '';
    const { heldAs: name, version, modelId } = request;
    if (reason !== '') reply(engineRefusal(reason));
    else reply(null, { model: ModelDescription.fromPartial({ name, version, modelId, steps }) });
  };
  engine = new SidecarEngine('engine-1', sidecar.address);
  await engine.start();
});

afterEach(async () => {
  sidecar.kill();
  await engine.stop();
});

function load(over: Partial<ModelLoad> = {}): Promise<void> {
  const nir = (): Uint8Array => {
    reads += 1;
    return NIR;
  };
  const whole = { name: 'n', version: 2, heldAs: 'm', modelId: 9n, steps: 16, manifest: 'text', nir, ...over };
  return engine.loadModel(whole, context);
}

const held = (): string[] | undefined => engine.description?.models.map(({ name, version }) => `${name}/${version}`);

describe('SidecarEngine.loadModel', () => {
  it('loads from the engine’s own repository, without reading the file', async () => {
    await load();
    expect(requests).toEqual([
      { name: 'n', version: 2, heldAs: 'm', modelId: 9n, manifest: 'text', nir: Buffer.alloc(0) },
    ]);
    expect([held(), reads]).toEqual([['m/1', 'm/2'], 0]);
  });

  it('reports the change', async () => {
    const seen: unknown[] = [];
    engine.onChange(() => seen.push(held()));
    engine.onChange(() => seen.push('second'));
    await load();
    expect(seen).toEqual([['m/1', 'm/2'], 'second']);
  });

  it.each([
    [{ version: 1 }, ['m/1']],
    [{ heldAs: 'other', version: 1 }, ['m/1', 'other/1']],
  ])('replaces only the same version of the same name: %j', async (over, expected) => {
    await load(over);
    expect(held()).toEqual(expected);
  });

  it.each(['UNKNOWN_MODEL', 'MODEL_DIFFERS', 'MODEL_INVALID'])(
    'sends the file if the engine refuses with %s',
    async (why) => {
      refusals = [why];
      await load();
      expect(requests.map(({ nir, heldAs }) => [heldAs, ...nir])).toEqual([['m'], ['m', 1, 2, 3, 4]]);
      expect(held()).toEqual(['m/1', 'm/2']);
    },
  );

  it('does not send the file if the engine refuses for another reason', async () => {
    refusals = ['MODEL_LIMIT'];
    await expect(load()).rejects.toMatchObject({ kind: 'MODEL_LIMIT' });
    expect([requests.length, reads, held()]).toEqual([1, 0, ['m/1']]);
  });

  it('fails if the engine refuses the file, too', async () => {
    refusals = ['UNKNOWN_MODEL', 'MODEL_INVALID'];
    await expect(load()).rejects.toMatchObject({ kind: 'MODEL_INVALID' });
    expect([requests.length, held()]).toEqual([2, ['m/1']]);
  });

  it.each([
    [16, 1],
    [8, 2],
    [0, 1],
  ])('sends the file if the model of the engine has other steps than %d', async (wanted, expected) => {
    await load({ steps: wanted });
    expect(requests).toHaveLength(expected);
  });

  it('refuses a file that is too large for a message to the engine', async () => {
    refusals = ['UNKNOWN_MODEL'];
    await expect(load({ nir: () => new Uint8Array(5) })).rejects.toMatchObject({
      kind: 'MODEL_TOO_LARGE',
      message: expect.stringMatching(
        /^the model file has 5 bytes, and engine "engine-1" takes messages of 1100004; put .* larger --max-message-bytes$/,
      ) as unknown,
    });
    expect([requests.length, held()]).toEqual([1, ['m/1']]);
  });

  it('fails if the engine does not say what it has loaded', async () => {
    sidecar.onLoad = (_, reply) => reply(null, { model: undefined });
    await expect(load()).rejects.toMatchObject({
      kind: 'ENGINE_FAULT',
      message: 'the engine did not say what it has loaded',
    });
  });

  it('refuses unread what is no answer to a load', async () => {
    sidecar.onLoad = (_, reply) => reply(null, { model: ModelDescription.fromPartial({ error: 'x'.repeat(16_385) }) });
    await expect(load()).rejects.toMatchObject({ kind: 'ENGINE_FAULT' });
  });

  it('fails with ENGINE_LOST if the engine is lost meanwhile', async () => {
    sidecar.onLoad = () => engine.replaceConnection('was told to go');
    await expect(load()).rejects.toMatchObject({ kind: 'ENGINE_LOST' });
  });

  it('fails if the engine cannot load', async () => {
    sidecar.onLoad = undefined;
    await expect(load()).rejects.toMatchObject({ message: 'engine "engine-1" cannot do that; a newer build may' });
  });
});

describe('SidecarEngine.recording', () => {
  it('returns the steps and nodes of the run', async () => {
    const ids: bigint[] = [];
    const node = { node: 'lif', elements: 2, spikes: Buffer.of(3), stateChecksums: [5, 2 ** 32 - 1] };
    sidecar.onRecording = ({ recordingId }, reply) => {
      ids.push(recordingId);
      const nodes = [RecordedNode.fromPartial(node)];
      reply(null, { model: 'm', modelVersion: 1, steps: 16, nodes, ended: 'NON_FINITE' });
    };
    expect(await engine.recording(2n ** 63n, context)).toEqual({
      ...{ steps: 16, ended: 'NON_FINITE' },
      nodes: [{ ...node, stateChecksums: Uint32Array.from(node.stateChecksums) }],
    });
    expect(ids).toEqual([2n ** 63n]);
  });

  it.each([
    ['UNKNOWN_RECORDING', 'UNKNOWN_RECORDING'],
    ['ROUTER_FULL', 'ENGINE_FAULT'],
  ])('converts the engine’s %s to %s', async (reason, kind) => {
    sidecar.onRecording = (_, reply) => reply(engineRefusal(reason));
    await expect(engine.recording(1n, context)).rejects.toMatchObject({ kind });
  });

  it('is refused unread if it has too much text', async () => {
    sidecar.onRecording = (_, reply) =>
      reply(null, { model: 'm', modelVersion: 1, steps: 16, nodes: [], ended: 'x'.repeat(16_385) });
    await expect(engine.recording(1n, context)).rejects.toMatchObject({ kind: 'ENGINE_FAULT' });
  });
});
