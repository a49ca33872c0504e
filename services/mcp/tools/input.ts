// What a model is asked, as tools take it, and as the router does.
import { z } from 'zod';
import { ReasonRequest } from '../../generated/tandem/v1/reasoning.ts';

const MAX_NUMBERS = 1_000_000;

export const inputFields = {
  encoding: z
    .array(z.number())
    .min(1)
    .max(MAX_NUMBERS)
    .describe('The input as numbers: as many as the model takes for one step. See tool "models".'),
  model: z.string().default('').describe('Name of the model. Empty: the default model.'),
  model_version: z.int().min(0).max(0xffff_ffff).default(0).describe('Version of the model. 0: the latest.'),
};

export type ModelInput = z.infer<z.ZodObject<typeof inputFields>>;

export function toRequest({ encoding, model, model_version: modelVersion }: ModelInput): ReasonRequest {
  return ReasonRequest.fromPartial({ encoding, model, modelVersion });
}
