// Why a version cannot be loaded or unloaded.
import { RouterError } from '../core/errors.ts';

export function unknown(
  name: string,
  version: number,
  all: readonly { readonly name: string; readonly version: number }[],
): RouterError {
  const there = all.map((each) => `${each.name}/${each.version}`).join(', ');
  const what = `${JSON.stringify(name.slice(0, 64))}${version > 0 ? ` version ${version}` : ''}`;
  const message = `the repository has no model ${what}; it has: ${there || 'none'}`;
  return new RouterError('UNKNOWN_MODEL', message, { field: version > 0 ? 'version' : 'name' });
}

export function refused(why: string): RouterError {
  return new RouterError('MODEL_REFUSED', `the model cannot be used: ${why}`, { field: 'nir' });
}

export function exists(name: string, version: number, isServed: boolean): RouterError {
  const message =
    `model ${name}/${version} is ${isServed ? 'served' : 'in the repository'} with other content; ` +
    'load it as another version, or ask for a reload to replace it';
  return new RouterError('MODEL_EXISTS', message, { field: 'version' });
}

export function notLoaded(first: RouterError, failed: number, all: number): RouterError {
  const message = `${failed} of ${all} engines did not load it, so none serves it: ${first.message}`;
  return new RouterError('LOAD_FAILED', message, { cause: first });
}
