// Both engines and the plain reference against the written cases, to the bit.
import { describe, expect, it } from '@jest/globals';
import { caseNames, readCase } from './case-file.ts';
import { allCases } from './cases.ts';
import { runLocally } from './local-run.ts';
import { runOnSidecar } from './sidecar-run.ts';

const names = caseNames();
const sidecar = runOnSidecar();

it('has all cases written down', () => {
  expect(names).toEqual(
    allCases()
      .map(({ name }) => name)
      .sort(),
  );
  expect(names.length).toBeGreaterThanOrEqual(200);
});

describe.each(names)('case %s', (name) => {
  const { nir, expect: expected, ...given } = readCase(name);

  it('is what the TypeScript engine does', () => {
    expect(JSON.parse(JSON.stringify(runLocally(nir, given)))).toEqual(expected);
  });

  it('is what the C++ engine and its reference do', () => {
    const { engine, reference_agrees: isReferenceAlike, refused } = sidecar.get(name)!;
    expect({ engine, isReferenceAlike, refused }).toEqual({
      engine: expected,
      isReferenceAlike: true,
      refused: undefined,
    });
  });
});
