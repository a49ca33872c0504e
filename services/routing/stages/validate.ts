// Validate: the input, held against the model. Throws what check-input.ts says.
import { checkDetail, validateInput } from '../check-input.ts';
import type { Stage } from '../stage.ts';

export const validate: Stage = (request, next) => {
  const { question, found } = request;
  validateInput(question.input, found.input);
  checkDetail(question, found.model);
  return next(request);
};
