import { Command } from 'commander';
import { type Model, ModelServiceClient } from '../generated/tandem/v1/models.ts';
import { type ReasonRequest, ReasonResponse, ReasoningServiceClient } from '../generated/tandem/v1/reasoning.ts';
import { type GlobalOptions, call, print } from './client.ts';
import { UsageError } from './usage-error.ts';
import { wholeNumber } from './arguments.ts';
import { isEventFile, readEvents } from './event-files/read.ts';
import { type CliInput, readInput, readSample } from './input.ts';
import { fitted } from './input-shape.ts';
import { withInput } from './items.ts';
import { describeResponse } from './reason-text.ts';
import { addRequestOptions, emptyRequest, type RequestOptions } from './request-options.ts';

/** Of a raster that goes to a file, cells. */
const PLAIN_WIDTH = 120;

const MAX_TIME_US = Number.MAX_SAFE_INTEGER;

export interface InputOptions {
  readonly sample?: string;
  readonly fromUs: number;
  readonly toUs: number;
}

export function reasonCommand(): Command {
  return addRequestOptions(addInput(new Command('reason').description('one input to one conclusion')))
    .addHelpText(
      'after',
      `
Examples: npx tandem reason --sample dog --strategy REDUNDANT
          npx tandem reason --sample dog --detail raster
          npx tandem reason --model gestures frames.npy
          npx tandem reason --model gestures recording.raw --from-us 0 --to-us 500000
          echo "[0.1, 0.2, 0.3]" | npx tandem reason --model mine -`,
    )
    .action((file: string | undefined, options: InputOptions & RequestOptions, command: Command) =>
      ask(command, chooseInput(file, options), emptyRequest(options)),
    );
}

export function addInput(command: Command): Command {
  return command
    .argument(
      '[file]',
      'numbers as JSON or text, .npy, .csv or raw little-endian floats (.f32), or events (.raw of Prophesee: EVT2, EVT3); "-" is standard input',
    )
    .option('--from-us <n>', 'of events: those from this time on, in microseconds', wholeNumber(0, MAX_TIME_US), 0)
    .option('--to-us <n>', 'of events: those before this time', wholeNumber(1, MAX_TIME_US), MAX_TIME_US)
    .option('-s, --sample <name>', 'a shipped sample of the model supersense, such as "dog"');
}

/** Asks, and prints the answer for programs or for people. */
export async function ask(command: Command, input: CliInput, request: ReasonRequest): Promise<void> {
  const whole = withInput(request, await asModelTakes(command, request, input));
  const response = await call(command, ReasoningServiceClient, (client) => client.reason, whole);
  const labels = command.optsWithGlobals<GlobalOptions>().json ? [] : await readLabels(command, response);
  const width = process.stdout.isTTY ? process.stdout.columns : PLAIN_WIDTH;
  print(command, ReasonResponse.toJSON(response), () => describeResponse(response, labels, input.text, width));
}

export function chooseInput(file: string | undefined, { sample, fromUs, toUs }: InputOptions): CliInput {
  if ((file === undefined) === (sample === undefined)) {
    throw new UsageError('give either a file ("-" is standard input) or --sample; example: tandem reason --sample dog');
  }
  if (sample !== undefined) return readSample(sample);
  const name = file ?? '-';
  if (!isEventFile(name)) return readInput(name);
  return { shape: [], data: Buffer.alloc(0), text: '', events: readEvents(name, { fromUs, toUs }) };
}

/** Samples have their shape, and events none. */
async function asModelTakes(command: Command, request: ReasonRequest, input: CliInput): Promise<CliInput> {
  if (input.text !== '' || input.events !== undefined) return input;
  const model = await readModel(command, request);
  return model === undefined ? input : fitted(input, model);
}

async function readLabels(command: Command, answered: ReasonResponse): Promise<readonly string[]> {
  return (await readModel(command, answered))?.labels ?? [];
}

async function readModel(
  command: Command,
  { model, modelVersion }: Pick<ReasonRequest, 'model' | 'modelVersion'>,
): Promise<Model | undefined> {
  return (await call(command, ModelServiceClient, (client) => client.getModel, { model, modelVersion })).model;
}
