// Finds the teachers by name and brings their labels into one order.
import { RouterError } from '../core/errors.ts';
import type { ModelVersion } from '../models/repository.ts';
import { LabelMismatch, labelOrder } from './label-order.ts';

export const MAX_TEACHERS = 16;

export interface Teacher {
  readonly version: ModelVersion;
  /** For each label of the group, its index among the teacher's own. */
  readonly order: readonly number[];
}

export interface TeacherGroup {
  /** The labels of the first teacher, in its order. */
  readonly labels: readonly string[];
  readonly teachers: readonly Teacher[];
}

/** The version for a name; throws UNKNOWN_MODEL. */
export type FindVersion = (name: string, version: number) => ModelVersion;

/** `names`: "name" or "name/version". Throws INVALID_FIELD or UNKNOWN_MODEL, whose field is `${field}[i]`. */
export function teacherGroup(names: readonly string[], find: FindVersion, field = 'teachers'): TeacherGroup {
  if (names.length === 0 || names.length > MAX_TEACHERS) {
    throw refused(field, `teachers has ${names.length} models; name 1 to ${MAX_TEACHERS}`);
  }
  const versions = names.map((name, index) => versionOf(name, `${field}[${index}]`, find));
  const [first] = versions;
  const { labels } = first!.readout;
  const teachers = versions.map((version, index) => {
    if (versions.indexOf(version) !== index) {
      throw refused(`${field}[${index}]`, `model "${keyOf(version)}" is there twice; name each teacher once`);
    }
    return { version, order: orderOf(version, `${field}[${index}]`, labels, keyOf(first!)) };
  });
  return { labels, teachers };
}

export function keyOf({ name, version }: ModelVersion): string {
  return `${name}/${version}`;
}

function orderOf(version: ModelVersion, field: string, labels: readonly string[], first: string): number[] {
  try {
    return labelOrder(labels, version.readout.labels, { model: keyOf(version), first });
  } catch (error) {
    if (error instanceof LabelMismatch) throw refused(field, error.message);
    throw error;
  }
}

/** `text`: "name" or "name/version". Throws INVALID_FIELD or UNKNOWN_MODEL at `field`. */
export function versionOf(text: string, field: string, find: FindVersion): ModelVersion {
  const [, name = text, number = '0'] = /^(.+)\/([1-9][0-9]{0,8})$/.exec(text) ?? [];
  if (name === '') throw refused(field, `${field} is empty; name a model`);
  try {
    return find(name, Number(number));
  } catch (thrown) {
    const { kind, message } = RouterError.from(thrown);
    throw kind === 'UNKNOWN_MODEL' ? new RouterError(kind, message, { field }) : thrown;
  }
}

function refused(field: string, message: string): RouterError {
  return new RouterError('INVALID_FIELD', message, { field });
}
