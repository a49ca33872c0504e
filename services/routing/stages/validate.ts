// Validate: the input, held against the model. Throws what check-input.ts says.
import { checkDetail, validateInput } from '../check-input.ts';
import type { Step } from '../stage.ts';

export const validate: Step = (request) => {
  const { question, found } = request;
  validateInput(question.input, found.input);
  checkDetail(question, found.model);
};
