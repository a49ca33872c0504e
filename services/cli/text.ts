// Reads the input of `reason` and `vote`: numbers, a text, or a whole request.
import { existsSync } from 'node:fs';
import type { Model } from '../generated/tandem/v1/models.ts';
import type { Events, ReasonRequest } from '../generated/tandem/v1/reasoning.ts';
import { isEventFile, readEvents } from './event-files/read.ts';
import { fitted } from './input-shape.ts';
import { type CliInput, parseInput, readBytes, readSample, withInput } from './input.ts';
import { isRequestJson, parseRequest } from './request-json.ts';
import { UsageError } from './usage-error.ts';

export interface InputOptions {
  readonly sample?: string;
  readonly text?: string;
  /** Of events. */
  readonly fromUs: number;
  readonly toUs: number;
}

export interface ChosenInput {
  /** A description of the input for people; empty: unknown. */
  readonly about: string;
  /** How the user named the input, for errors. Undefined: the user wrote the request, whose fields have their own names. */
  readonly source: string | undefined;
  /** The request with the input. */
  on(request: ReasonRequest): ReasonRequest;
  /** Numbers that the model's shape splits into steps. */
  fittedTo?(model: Model): ChosenInput;
}

/** `argument`: "-", a file, or a text. Throws UsageError if there is not exactly one input. */
export function chooseInput(argument: string | undefined, options: InputOptions): ChosenInput {
  const { sample, text } = options;
  if ([argument, sample, text].filter((given) => given !== undefined).length !== 1) {
    throw new UsageError(
      'give one input: a text, a file ("-" is standard input), --text or --sample; ' +
        'example: tandem reason "a small furry animal"',
    );
  }
  if (sample !== undefined) return numbers(readSample(sample), '--sample');
  if (text !== undefined) return words(text, '--text');
  if (isEventFile(argument!)) return events(readEvents(argument!, options), argument!);
  return isFile(argument!) ? ofFile(argument!) : words(argument!, 'the text');
}

/**
 * An argument that looks like a file name is a file, even if it does not exist, so that a misspelt name is an error.
 */
function isFile(argument: string): boolean {
  return argument === '-' || existsSync(argument) || /^\S*[/\\]\S*$|^\S+\.[a-z0-9]{2,4}$/i.test(argument);
}

function ofFile(file: string): ChosenInput {
  const bytes = readBytes(file);
  const isBinary = file.endsWith('.f32') || file.endsWith('.npy');
  const text = isBinary ? '' : bytes.toString('utf8');
  if (isRequestJson(text)) return { about: '', source: undefined, on: (request) => parseRequest(text, request) };
  const source = file === '-' ? 'standard input' : file;
  const input = parseInput(bytes, file);
  return { ...numbers(input, source), fittedTo: (model) => numbers(fitted(input, model), source) };
}

function numbers(input: CliInput, source: string): ChosenInput {
  return { about: input.text, source, on: (request) => withInput(request, input) };
}

function events(list: Events, source: string): ChosenInput {
  return { about: '', source, on: (request) => ({ ...request, events: list }) };
}

function words(text: string, source: string): ChosenInput {
  return { about: text, source, on: (request) => ({ ...request, text }) };
}
