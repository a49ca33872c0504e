// Formats a consensus for people: the result, and the answer of each teacher.
import type { CoordinateResponse, TeacherAnswer } from '../generated/tandem/v1/learning.ts';
import { table } from './table.ts';

const HEAD = ['TEACHER', 'WEIGHT', 'LABEL', 'CONFIDENCE', 'ENGINE'];

export function describeCoordinated(response: CoordinateResponse, text: string): string {
  const { label, confidence, disagreement, teachers, processingTimeMs } = response;
  return [
    ...(text ? [`“${text}”`, ''] : []),
    `${label}, confidence ${percent(confidence)}, disagreement ${disagreement.toFixed(3)} (0: all agree, 1: none)`,
    '',
    table(HEAD, teachers.map(row)),
    '',
    `${processingTimeMs.toFixed(2)} ms in the router`,
  ].join('\n');
}

function row({ model, modelVersion, weight, label, confidence, engine, error }: TeacherAnswer): string[] {
  const name = `${model}/${modelVersion}`;
  if (error !== undefined) return [name, percent(weight), `${error.reason}: ${error.message}`, '-', '-'];
  return [name, percent(weight), label, percent(confidence), engine?.engineId ?? '?'];
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}
