// Words an engine's refusal for the caller: with the engines that confirm it, or with a remark that none does.
import { RouterError } from '../core/errors.ts';

export function confirmed({ kind, message, metadata, cause }: RouterError, engineIds: readonly string[]): RouterError {
  return new RouterError(kind, message, { metadata: { ...metadata, confirmed_by: engineIds.join(', ') }, cause });
}

export function unconfirmed({ kind, message, metadata, cause }: RouterError): RouterError {
  const text = `${message} (said by one engine, and no other could be asked)`;
  return new RouterError(kind, text, { metadata: { ...metadata, unconfirmed: 'true' }, cause });
}
