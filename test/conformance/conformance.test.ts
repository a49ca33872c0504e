// Both engines and the reference on the stored cases, bit for bit.
import { describe, expect, it } from '@jest/globals';
import { caseNames, readCase } from './case-file.ts';
import { allCases } from './cases.ts';
import { runLocally } from './local-run.ts';
import { runOnSidecar } from './sidecar-run.ts';

const names = caseNames();
const sidecar = runOnSidecar();

it('has all cases in files', () => {
  expect(names).toEqual(
    allCases()
      .map(({ name }) => name)
      .sort(),
  );
  expect(names.length).toBeGreaterThanOrEqual(200);
});

describe.each(names)('case %s', (name) => {
  const { nir, expect: expected, ...given } = readCase(name);

  it('is matched by the TypeScript engine', () => {
    expect(JSON.parse(JSON.stringify(runLocally(nir, given)))).toEqual(expected);
  });

  it('is matched by the C++ engine and its reference', () => {
    const { engine, reference_agrees: isReferenceAlike, refused } = sidecar.get(name)!;
    expect({ engine, isReferenceAlike, refused }).toEqual({
      engine: expected,
      isReferenceAlike: true,
      refused: undefined,
    });
  });
});
