import { RouterError } from '../../core/errors.ts';

export function invalid(field: string, message: string): RouterError {
  return new RouterError('INVALID_FIELD', message, { field });
}
