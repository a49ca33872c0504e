// The input of `reason` and `vote`: numbers from somewhere, or a text.
import { existsSync } from 'node:fs';
import type { Model } from '../generated/tandem/v1/models.ts';
import type { Events, ReasonRequest } from '../generated/tandem/v1/reasoning.ts';
import { isEventFile, readEvents } from './event-files/read.ts';
import { fitted } from './input-shape.ts';
import { type CliInput, readInput, readSample } from './input.ts';
import { withInput } from './items.ts';
import { UsageError } from './usage-error.ts';

export interface InputOptions {
  readonly sample?: string;
  readonly text?: string;
  /** Of events. */
  readonly fromUs: number;
  readonly toUs: number;
}

export interface ChosenInput {
  /** What the input is about, for people; empty: not known. */
  readonly about: string;
  /** The request with the input in it. */
  on(request: ReasonRequest): ReasonRequest;
  /** Numbers whose steps the model tells apart. */
  fittedTo?(model: Model): ChosenInput;
}

/** `argument`: "-", a file, or a text. Throws UsageError where it is not exactly one input. */
export function chooseInput(argument: string | undefined, options: InputOptions): ChosenInput {
  const { sample, text } = options;
  if ([argument, sample, text].filter((given) => given !== undefined).length !== 1) {
    throw new UsageError(
      'give one input: a text, a file ("-" is standard input), --text or --sample; ' +
        'example: tandem reason "a small furry animal"',
    );
  }
  if (sample !== undefined) return numbers(readSample(sample));
  if (text !== undefined) return words(text);
  if (isEventFile(argument!)) return events(readEvents(argument!, options));
  return isFile(argument!) ? ofFile(readInput(argument!)) : words(argument!);
}

/** What names a file is one, also where there is none, so that a misspelt name is an error and no text. */
function isFile(argument: string): boolean {
  return argument === '-' || existsSync(argument) || /^\S*[/\\]\S*$|^\S+\.[a-z0-9]{2,4}$/i.test(argument);
}

function numbers(input: CliInput): ChosenInput {
  return { about: input.text, on: (request) => withInput(request, input) };
}

function ofFile(input: CliInput): ChosenInput {
  return { ...numbers(input), fittedTo: (model) => numbers(fitted(input, model)) };
}

function events(list: Events): ChosenInput {
  return { about: '', on: (request) => ({ ...request, events: list }) };
}

function words(text: string): ChosenInput {
  return { about: text, on: (request) => ({ ...request, text }) };
}
