import { Command } from 'commander';
import { Model, ModelServiceClient } from '../generated/tandem/v1/models.ts';
import { type ReasonRequest, ReasonResponse, ReasoningServiceClient } from '../generated/tandem/v1/reasoning.ts';
import { wholeNumber } from './arguments.ts';
import { blaming } from './blame.ts';
import { type GlobalOptions, call, print } from './client.ts';
import { describeResponse } from './reason-text.ts';
import { type SessionOptions, addSessionOptions, saveState, toSession } from './session-options.ts';
import { addRequestOptions, emptyRequest, type RequestOptions } from './request-options.ts';
import { chooseInput, type ChosenInput, type InputOptions } from './text.ts';

/** Width of a raster that is written to a file, cells. */
const PLAIN_WIDTH = 120;
const MAX_TIME_US = Number.MAX_SAFE_INTEGER;

type Options = InputOptions & RequestOptions & SessionOptions;

export function reasonCommand(): Command {
  return addSessionOptions(addRequestOptions(addInput(new Command('reason'))))
    .addHelpText(
      'after',
      `
Examples: npx tandem reason "a small furry animal"
          npx tandem reason --sample dog --strategy REDUNDANT
          npx tandem reason --sample dog --detail raster
          npx tandem reason --sample dog --session robot-7
          npx tandem reason --model gestures frames.npy
          npx tandem reason --model gestures recording.raw --from-us 0 --to-us 500000
          echo "[0.1, 0.2, 0.3]" | npx tandem reason --model mine -
          echo '{"text": "a small furry animal", "strategy": "STRATEGY_FASTEST"}' | npx tandem reason -

A file or standard input that begins with "{" is a whole request: tandem.v1.ReasonRequest in protobuf's JSON. Its fields
win over options.`,
    )
    .action(async (argument: string | undefined, options: Options, command: Command) => {
      const request = { ...emptyRequest(options), session: toSession(options) };
      saveState(await ask(command, chooseInput(argument, options), request), options);
    });
}

export function addInput(command: Command): Command {
  return command
    .argument(
      '[input]',
      'a text; or a file of numbers: JSON, text, .csv, .npy, or little-endian floats (.f32), or of events: .raw (EVT2, EVT3), .aedat4; ' +
        'or of a whole request as JSON; "-" is standard input',
    )
    .option('--text <words>', 'a text, even if it looks like the name of a file')
    .option('--from-us <n>', 'only events from this time on, in microseconds', wholeNumber(0, MAX_TIME_US), 0)
    .option('--to-us <n>', 'only events before this time, in microseconds', wholeNumber(1, MAX_TIME_US), MAX_TIME_US)
    .option('-s, --sample <name>', 'a shipped sample of the model supersense, such as "dog"');
}

/** Sends the request and prints the answer as JSON or as text. */
export async function ask(command: Command, chosen: ChosenInput, request: ReasonRequest): Promise<ReasonResponse> {
  const input = chosen.fittedTo === undefined ? chosen : chosen.fittedTo(await readModel(command, request));
  const whole = input.on(request);
  const response = await blaming(input.source, () =>
    call(command, ReasoningServiceClient, (client) => client.reason, whole),
  );
  const labels = command.optsWithGlobals<GlobalOptions>().json ? [] : (await readModel(command, response)).labels;
  const width = process.stdout.isTTY ? process.stdout.columns : PLAIN_WIDTH;
  print(command, ReasonResponse.toJSON(response), () => describeResponse(response, labels, input.about, width));
  return response;
}

async function readModel(
  command: Command,
  { model, modelVersion }: Pick<ReasonRequest, 'model' | 'modelVersion'>,
): Promise<Model> {
  const response = await call(command, ModelServiceClient, (client) => client.getModel, { model, modelVersion });
  return response.model ?? Model.create();
}
