// Converts the input of a tool to the router's request.
import { z } from 'zod';
import { ReasonRequest } from '../../generated/tandem/v1/reasoning.ts';

const MAX_NUMBERS = 1_000_000;
const MAX_TEXT_CHARS = 8_192;

const encoding = z.array(z.number()).max(MAX_NUMBERS);

/** Input of a tool that accepts only numbers. */
export const numberFields = {
  encoding: encoding
    .min(1)
    .describe('The input as numbers: as many as the model takes for one step. See tool "models".'),
  model_version: z.int().min(0).max(0xffff_ffff).default(0).describe('Version of the model. 0: the latest.'),
};

export const inputFields = {
  text: z
    .string()
    .max(MAX_TEXT_CHARS)
    .default('')
    .describe('The input as text, for a model that takes text. Give either text or encoding.'),
  ...numberFields,
  encoding: encoding
    .default([])
    .describe('The input as numbers: as many as the model takes for one step. See tool "models".'),
  model: z
    .string()
    .default('')
    .describe('Name of the model. Empty: the default one, or for a text the first that takes text.'),
};

type ModelInput = z.infer<z.ZodObject<typeof inputFields>>;

export function toRequest({ text, encoding: numbers, model, model_version: modelVersion }: ModelInput): ReasonRequest {
  return ReasonRequest.fromPartial({ text, encoding: numbers, model, modelVersion });
}
