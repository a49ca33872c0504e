// Validate: the input, held against the model (what was made of a text fits it already). Throws what check-input.ts says.
import { checkDetail, validateInput } from '../check-input.ts';
import type { Step } from '../stage.ts';

export const validate: Step = (request) => {
  const { question, found, input } = request;
  if (question.text === undefined) validateInput(question.input, found.input);
  checkDetail(input, found.model);
};
