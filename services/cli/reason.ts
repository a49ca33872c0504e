import { Command } from 'commander';
import { ModelServiceClient } from '../generated/tandem/v1/models.ts';
import { type ReasonRequest, ReasonResponse, ReasoningServiceClient } from '../generated/tandem/v1/reasoning.ts';
import { type GlobalOptions, call, print } from './client.ts';
import { UsageError } from './usage-error.ts';
import { type CliInput, readInput, readSample } from './input.ts';
import { withInput } from './items.ts';
import { describeResponse } from './reason-text.ts';
import { type SessionOptions, addSessionOptions, saveState, toSession } from './session-options.ts';
import { addRequestOptions, emptyRequest, type RequestOptions } from './request-options.ts';

/** Of a raster that goes to a file, cells. */
const PLAIN_WIDTH = 120;

export interface InputOptions {
  readonly sample?: string;
}

type Options = InputOptions & RequestOptions & SessionOptions;

export function reasonCommand(): Command {
  return addSessionOptions(
    addRequestOptions(addInput(new Command('reason').description('one input to one conclusion'))),
  )
    .addHelpText(
      'after',
      `
Examples: npx tandem reason --sample dog --strategy REDUNDANT
          npx tandem reason --sample dog --detail raster
          npx tandem reason --sample dog --session robot-7
          echo "[0.1, 0.2, 0.3]" | npx tandem reason --model mine -`,
    )
    .action(async (file: string | undefined, options: Options, command: Command) => {
      const request = { ...emptyRequest(options), session: toSession(options) };
      saveState(await ask(command, chooseInput(file, options.sample), request), options);
    });
}

export function addInput(command: Command): Command {
  return command
    .argument('[file]', 'numbers as JSON, as text, or raw little-endian floats (.f32); "-" is standard input')
    .option('-s, --sample <name>', 'a shipped sample of the model supersense, such as "dog"');
}

/** Asks, and prints the answer for programs or for people. */
export async function ask(command: Command, input: CliInput, request: ReasonRequest): Promise<ReasonResponse> {
  const response = await call(command, ReasoningServiceClient, (client) => client.reason, withInput(request, input));
  const labels = command.optsWithGlobals<GlobalOptions>().json ? [] : await readLabels(command, response);
  const width = process.stdout.isTTY ? process.stdout.columns : PLAIN_WIDTH;
  print(command, ReasonResponse.toJSON(response), () => describeResponse(response, labels, input.text, width));
  return response;
}

export function chooseInput(file: string | undefined, sample: string | undefined): CliInput {
  if ((file === undefined) === (sample === undefined)) {
    throw new UsageError('give either a file ("-" is standard input) or --sample; example: tandem reason --sample dog');
  }
  return sample === undefined ? readInput(file ?? '-') : readSample(sample);
}

async function readLabels(command: Command, { model, modelVersion }: ReasonResponse): Promise<readonly string[]> {
  const response = await call(command, ModelServiceClient, (client) => client.getModel, { model, modelVersion });
  return response.model?.labels ?? [];
}
