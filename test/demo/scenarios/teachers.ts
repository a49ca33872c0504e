import { readFileSync } from 'node:fs';
import * as grpc from '@grpc/grpc-js';
import {
  type GetLearningStateResponse,
  LearnRequest,
  type LearnResponse,
  LearningServiceClient,
} from '../../../services/generated/tandem/v1/learning.ts';
import { promised } from '../../support/promised.ts';
import { closedLoad } from '../../support/load.ts';
import { ModelOperator } from '../../support/model-operator.ts';
import type { Scenario } from '../scenario.ts';
import { type Stage, tensorOf } from '../stage.ts';

const MODEL = 'deploy/models/supersense';
const LESSONS = 400;
const TEACHERS = ['supersense', 'hasty', 'liar'];

export const teachers: Scenario = {
  name: 'teachers',
  title: 'Multi-teacher coordination',
  why: 'Several models teach a student. Their weights depend on their mistakes, so a wrong teacher does little harm.',
  async run(stage, page) {
    const models = new ModelOperator(stage.system.adminAddress);
    const client = new LearningServiceClient(stage.system.adminAddress, grpc.credentials.createInsecure());
    try {
      const nir = readFileSync(`${MODEL}/1/model.nir`);
      const manifest = readFileSync(`${MODEL}/model.yaml`, 'utf8').replaceAll(/^(name|golden):.*\n/gm, '');
      const [first, ...rest] = stage.labels;
      await models.load({
        name: 'hasty',
        nir,
        manifest: manifest.replace(/^steps:.*$/m, 'steps: 3'),
        labels: stage.labels.join('\n'),
      });
      await models.load({ name: 'liar', nir, manifest, labels: [...rest, first].join('\n') });
      page.say(
        'Loaded while the router runs: “hasty” looks for 3 steps instead of 16, “liar” names a wrong label each time.',
      );

      const learnt = await learn(client, stage);
      const state = await promised<GetLearningStateResponse>((done) =>
        client.getLearningState({ student: 'pupil' }, done),
      );
      const taught = state.students[0]!.teachers;
      page.say(`${LESSONS} labelled texts later:`);
      page.bars(
        taught.map(({ model, weight, accuracy }) => ({
          name: model,
          value: weight,
          text: `weight ${(weight * 100).toFixed(1)} %, right in ${(accuracy * 100).toFixed(0)} %`,
        })),
      );
      const liar = taught.find(({ model }) => model.startsWith('liar'))!;
      page.claim('the liar has lost its weight', liar.weight < 0.02);
      page.claim(
        'no teacher’s regret is above its bound (Gaillard, Stoltz and van Erven, 2014)',
        taught.every(({ regret, regretBound }) => regret <= regretBound),
      );
      page.claim(`every engine serves the student as pupil/${learnt.publishedVersion}`, learnt.publishedVersion > 0);
      const exam = stage.heldout.slice(LESSONS);
      const { requests } = await closedLoad({
        ...{ system: stage.system, inputs: exam, total: exam.length, inFlight: 4 },
        request: { model: 'pupil' },
      }).finished;
      const right = requests.filter(({ input, response }) => response?.label === exam[input]!.label).length;
      const percent = (right / exam.length) * 100;
      page.claim(
        `the student is right in ${percent.toFixed(0)} % of ${exam.length} texts that it never saw (a guess: 2 %)`,
        percent > 40,
      );
    } finally {
      client.close();
      models.close();
    }
  },
};

function learn(client: LearningServiceClient, stage: Stage): Promise<LearnResponse> {
  return new Promise((resolve, reject) => {
    const stream = client.learn((error, response) => (error ? reject(error) : resolve(response)));
    const write = (what: LearnRequest['what']): unknown => stream.write(LearnRequest.fromPartial({ what }));
    const start = { student: 'pupil', teachers: TEACHERS, base: 'supersense' };
    write(LearnRequest.fromPartial({ what: { $case: 'start', value: start } }).what);
    for (const item of stage.heldout.slice(0, LESSONS)) {
      const value = { tensor: tensorOf(item), label: item.label };
      write(LearnRequest.fromPartial({ what: { $case: 'example', value } }).what);
    }
    stream.end();
  });
}
