import { once } from 'node:events';
import { Command } from 'commander';
import {
  GetLearningStateResponse,
  type LearnRequest,
  LearnResponse,
  LearnStart,
  LearningServiceClient,
  RollBackStudentResponse,
} from '../generated/tandem/v1/learning.ts';
import { LogError } from '../learning/learning-log.ts';
import { replayLog } from '../learning/replay.ts';
import { ReplayDiffers } from '../learning/student-state.ts';
import { hex64 } from '../core/hex.ts';
import { wholeNumber } from './arguments.ts';
import { callAdmin, call, connectAdmin, print } from './client.ts';
import { namesIn } from './coordinate.ts';
import { EXAMPLE_FORMS, readExamples } from './examples.ts';
import { describeLearnt, describeStates } from './learn-text.ts';
import { LineSource } from './lines.ts';
import { UsageError } from './usage-error.ts';

const MAX_COUNT = 1_000_000_000;

interface Options {
  readonly student?: string;
  readonly teachers?: string;
  readonly base?: string;
  readonly labels?: string;
  readonly commitEvery?: number;
  readonly heldOutEvery?: number;
  readonly learningRate?: number;
  readonly epochs: number;
}

export function learnCommand(): Command {
  return new Command('learn')
    .argument('[file]', 'examples, one per line; "-" is standard input')
    .option('-s, --student <name>', 'the student; it is served as a model of this name')
    .option('-t, --teachers <names>', 'models whose answers it learns from, separated by commas')
    .option('-b, --base <name>', 'the student’s input: the spikes of this model instead of the request’s input')
    .option('-l, --labels <names>', 'without teachers: the labels, separated by commas')
    .option(
      '--commit-every <n>',
      'publish a version after this many examples, not only at the end',
      wholeNumber(1, MAX_COUNT),
    )
    .option('--held-out-every <n>', 'hold out one of this many labelled examples (default: 5)', wholeNumber(2, 1_000))
    .option('--epochs <n>', 'read the file this many times, for small files', wholeNumber(1, 10_000), 1)
    .option('--learning-rate <x>', 'learning rate of the gradient steps (default: 0.5)', Number)
    .addHelpText(
      'after',
      `${EXAMPLE_FORMS}

Labelled examples change the weights of the teachers and teach the student; unlabelled ones teach it what the teachers
agree on. Some labelled ones are held out: a version that answers fewer of them rightly than the one in use is not served.
Ctrl-C ends it without a new version; what was learnt is kept.

Examples: npx tandem learn pets.csv --student pets --labels cat,dog
          npx tandem learn letters.jsonl --student letters --base supersense-text --labels delivery,money --epochs 30
          npx tandem learn examples.jsonl --student pupil --teachers supersense,other/2 --commit-every 1000`,
    )
    .addCommand(stateCommand())
    .addCommand(rollBackCommand())
    .addCommand(replayCommand())
    .action(async (file: string | undefined, { student, epochs, ...options }: Options, command: Command) => {
      if (file === undefined || student === undefined) {
        throw new UsageError('give a file of examples, and --student; example: tandem learn pets.csv --student pets');
      }
      if (file === '-' && epochs > 1) throw new UsageError('standard input can be read once; give a file for --epochs');
      const response = await learn(command, file, epochs, toStart({ student, ...options }));
      print(command, LearnResponse.toJSON(response), () => describeLearnt(response));
    });
}

function toStart({ teachers, labels, ...options }: Omit<Options, 'epochs'>): LearnStart {
  return LearnStart.fromPartial({
    ...options,
    teachers: teachers === undefined ? [] : namesIn(teachers),
    labels: labels === undefined ? [] : namesIn(labels),
  });
}

async function learn(command: Command, file: string, epochs: number, start: LearnStart): Promise<LearnResponse> {
  const connection = connectAdmin(command, LearningServiceClient);
  let lines = new LineSource(file);
  const over = new AbortController();
  try {
    return await new Promise<LearnResponse>((resolve, reject) => {
      const stream = connection.learn((error, response) => (error ? reject(error) : resolve(response)));
      const send = async (what: LearnRequest['what']): Promise<void> => {
        if (!stream.write({ what })) await once(stream, 'drain', { signal: over.signal });
      };
      const sendAll = async (): Promise<void> => {
        await send({ $case: 'start', value: start });
        for (let epoch = 1; epoch <= epochs; epoch += 1) {
          if (epoch > 1) lines = new LineSource(file);
          for await (const example of readExamples(lines)) {
            if (over.signal.aborted) return;
            await send({ $case: 'example', value: example });
          }
        }
        stream.end();
      };
      sendAll().catch((error: unknown) => {
        if (over.signal.aborted) return;
        stream.cancel();
        reject(error instanceof Error ? error : new Error('the examples cannot be read', { cause: error }));
      });
    });
  } finally {
    over.abort();
    lines.stop();
    connection.close();
  }
}

function stateCommand(): Command {
  return new Command('state')
    .description('Print what students have learnt: weights, accuracy, regret, versions.')
    .argument('[student]', 'one student (default: all)')
    .addHelpText('after', '\nExample: npx tandem learn state pets')
    .action(async (student: string | undefined, _options: unknown, command: Command) => {
      const request = { student: student ?? '' };
      const response = await call(command, LearningServiceClient, (client) => client.getLearningState, request);
      print(command, GetLearningStateResponse.toJSON(response), () => describeStates(response.students));
    });
}

function rollBackCommand(): Command {
  return new Command('rollback')
    .description('Serve an earlier version of a student again, and continue learning from it.')
    .argument('<student>', 'the student')
    .argument('<version>', 'the version; "learn state" lists them', wholeNumber(1, MAX_COUNT))
    .addHelpText('after', '\nExample: npx tandem learn rollback pets 1')
    .action(async (student: string, version: number, _options: unknown, command: Command) => {
      const response = await callAdmin(command, LearningServiceClient, (client) => client.rollBackStudent, {
        student,
        version,
      });
      print(command, RollBackStudentResponse.toJSON(response), () => `${student}/${version} is served again`);
    });
}

function replayCommand(): Command {
  return new Command('replay')
    .description('Learn the examples of a student’s log again, and compare every version to the bit.')
    .argument('<file>', 'the log; see setting learning.dir')
    .addHelpText(
      'after',
      '\nThe same in C++: tandem-engine learn-replay FILE\n\nExample: npx tandem learn replay .tandem/learning/pets.log',
    )
    .action(async (file: string, _options: unknown, command: Command) => {
      const { examples, commits, digest } = await replayed(file);
      const text = `${examples} examples, ${commits} commits, each with the same bits; state ${hex64(digest)}`;
      print(command, { examples, commits, state: hex64(digest) }, () => text);
    });
}

async function replayed(file: string): ReturnType<typeof replayLog> {
  try {
    return await replayLog(file);
  } catch (error) {
    if (error instanceof LogError) throw new Error(`${file} ${error.message}`, { cause: error });
    if (error instanceof ReplayDiffers) throw error;
    throw new UsageError(`cannot read "${file}": ${(error as Error).message}`);
  }
}
