// Several models on real engines. One has its labels in another order, and one fails.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import * as grpc from '@grpc/grpc-js';
import {
  CoordinateRequest,
  type CoordinateResponse,
  LearningServiceClient,
} from '../../services/generated/tandem/v1/learning.ts';
import { promised } from '../support/promised.ts';
import { ModelFolder } from '../support/model-folder.ts';
import { matrix } from '../support/nir-writer.ts';
import { run } from '../support/process.ts';
import { chain, node } from '../support/run-network.ts';
import { refusalOf } from '../support/refusal.ts';
import { type System, startSystem } from '../support/system.ts';

const lif = node('LIF', { tau: [2, 2], r: [4, 4], v_leak: [0, 0], v_threshold: [1, 1] });
const network = (...rows: number[][]) => chain(2, 2, { dense: node('Linear', { weight: matrix(...rows) }), lif });
const manifest = (labels: string): string => `dt: 1\nsteps: 8\ninput: {shape: [2]}\nlabels: [${labels}]`;
const folder = new ModelFolder()
  .add('straight', 1, network([1, 0], [0, 1]), manifest('left, right'))
  .add('crossed', 1, network([0, 1], [1, 0]), manifest('right, left'))
  .add('series', 1, network([1, 0], [0, 1]), manifest('left, right').replace('[2]}', '[2], kind: series}'))
  .add('other', 1, network([1, 0], [0, 1]), manifest('up, down'));
let system: System;
let client: LearningServiceClient;

beforeAll(async () => {
  system = await startSystem({ models_dir: folder.path, default_model: 'straight', spawn: { count: 1 } });
  client = new LearningServiceClient(system.address, grpc.credentials.createInsecure());
});

afterAll(async () => {
  client.close();
  await system.stop();
  folder.remove();
});

const coordinate = (request: Partial<CoordinateRequest>): Promise<CoordinateResponse> =>
  promised((done) => client.coordinate(CoordinateRequest.fromPartial(request), done));

describe('Coordinate', () => {
  it('gives each teacher’s scores and the consensus in the first teacher’s order', async () => {
    const answer = await coordinate({ teachers: ['straight', 'crossed/1'], encoding: [1, 0.2] });
    expect(answer).toMatchObject({ label: 'left', labelIndex: 0, labels: ['left', 'right'], disagreement: 0 });
    const alone = await system.reason({ model: 'straight', encoding: [1, 0.2] });
    expect(answer.scores).toEqual(alone.scores);
    expect(answer.teachers.map(({ model, label, weight }) => [model, label, weight])).toEqual([
      ['straight', 'left', 0.5],
      ['crossed', 'left', 0.5],
    ]);
  });

  it('answers without a teacher that fails', async () => {
    const { teachers, label } = await coordinate({ teachers: ['series', 'straight'], encoding: [1, 0.2] });
    expect([teachers[0]?.error?.reason, teachers[0]?.weight, teachers[1]?.weight, label]).toEqual([
      'INPUT_KIND',
      0,
      1,
      'left',
    ]);
  });

  it('is printed by "tandem coordinate"', async () => {
    const args = ['coordinate', '-', '--teachers', 'straight,series', '--address', system.address];
    const { stdout, code } = await run('services/cli/main.ts', args, { stdin: '1 0.2' }).finished;
    expect([stdout, code]).toEqual([expect.stringMatching(/^left, confidence [^]*series\/1 .*INPUT_KIND/), 0]);
  });

  it('refuses teachers with different labels', async () => {
    const refusal = await refusalOf(coordinate({ teachers: ['straight', 'other'], encoding: [1, 0] }));
    expect(refusal).toMatchObject({ reason: 'INVALID_FIELD', field: 'teachers[1]' });
  });

  it('refuses more teachers than a request may name', async () => {
    const refusal = await refusalOf(coordinate({ teachers: Array.from({ length: 1_000 }, String), encoding: [1, 0] }));
    expect(refusal).toMatchObject({ reason: 'INVALID_FIELD', field: 'teachers' });
  });
});
