// The router's errors name fields of the request. The user wrote options and files, so errors here name those.
import { Blamed, isServiceError, readRefusal } from './refusal.ts';

const INPUT = /^(encoding|tensor|text|events)\b/;
/** Fields that are set by an option with another name. */
const OPTIONS: Readonly<Record<string, string>> = { 'session.id': '--session' };

/**
 * Makes a call; an error names what the user wrote. `source`: of the input. Undefined: the user wrote the request
 * itself.
 */
export async function blaming<Answer>(source: string | undefined, call: () => Promise<Answer>): Promise<Answer> {
  try {
    return await call();
  } catch (error) {
    if (source === undefined || !isServiceError(error)) throw error;
    const { field } = readRefusal(error);
    throw field === '' ? error : new Blamed(error, written(field, source));
  }
}

/** Example: "model_version" → "--model-version". */
export function written(field: string, source: string): string {
  if (INPUT.test(field)) return source;
  const [, name = field] = /^(?:vote|session)\.(.+)$/.exec(field) ?? [];
  return OPTIONS[field] ?? `--${name.replaceAll('_', '-')}`;
}
