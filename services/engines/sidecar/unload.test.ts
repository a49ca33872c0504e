import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { FakeSidecar, engineRefusal } from '../../../test/fakes/fake-sidecar.ts';
import { SidecarEngine } from './sidecar-engine.ts';

const context = { deadlineMs: Infinity, signal: new AbortController().signal };

let sidecar: FakeSidecar;
let engine: SidecarEngine;

beforeEach(async () => {
  sidecar = await new FakeSidecar().start();
  engine = new SidecarEngine('engine-1', sidecar.address);
  await engine.start();
});

afterEach(async () => {
  sidecar.kill();
  await engine.stop();
});

describe('SidecarEngine.unloadModel', () => {
  it('removes the model from the description', async () => {
    await engine.unloadModel('m', 1, context);
    expect(engine.description?.models).toEqual([]);
  });

  it('accepts that the engine no longer holds the model', async () => {
    sidecar.unloadRefusal = engineRefusal('UNKNOWN_MODEL');
    await engine.unloadModel('m', 1, context);
    expect(engine.description?.models).toEqual([]);
  });

  it('keeps the model if the engine refuses', async () => {
    sidecar.unloadRefusal = engineRefusal('NOT_LOADED_AT_RUN_TIME');
    await expect(engine.unloadModel('m', 1, context)).rejects.toMatchObject({ kind: 'ENGINE_FAULT' });
    expect(engine.description?.models).toHaveLength(1);
  });
});
