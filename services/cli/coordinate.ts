import { Command } from 'commander';
import { CoordinateRequest, CoordinateResponse, LearningServiceClient } from '../generated/tandem/v1/learning.ts';
import { blaming } from './blame.ts';
import { call, print } from './client.ts';
import { describeCoordinated } from './coordinate-text.ts';
import { addInput } from './reason.ts';
import { type RequestOptions, addCacheMode, addStrategy, emptyRequest } from './request-options.ts';
import { chooseInput, type InputOptions } from './text.ts';
import { UsageError } from './usage-error.ts';

interface Options extends InputOptions, RequestOptions {
  readonly teachers: string;
}

export function coordinateCommand(): Command {
  const command = new Command('coordinate');
  return addCacheMode(addStrategy(addInput(command)))
    .requiredOption('-t, --teachers <names>', 'the models, separated by commas; "name" or "name/version"')
    .addHelpText(
      'after',
      `
The models must have the same labels. The disagreement is 0 where all give the same scores, and 1 where each is sure of
another label.

Example: npx tandem coordinate --sample dog --teachers supersense,my-model/2`,
    )
    .action(async (argument: string | undefined, options: Options, command: Command) => {
      const input = chooseInput(argument, options);
      const { encoding, tensor, text, events, strategy, cache } = input.on(emptyRequest(options));
      const teachers = namesIn(options.teachers);
      const request = CoordinateRequest.fromPartial({ teachers, strategy, cache, text, encoding, tensor, events });
      const response = await blaming(input.source, () =>
        call(command, LearningServiceClient, (client) => client.coordinate, request),
      );
      print(command, CoordinateResponse.toJSON(response), () => describeCoordinated(response, input.about));
    });
}

export function namesIn(list: string): string[] {
  const names = list.split(',').map((name) => name.trim());
  if (names.includes(''))
    throw new UsageError(`--teachers "${list}" has an empty name; give names with commas between`);
  return names;
}
