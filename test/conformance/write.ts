// Writes the conformance cases to files, with the results of all of our implementations: `npx node
// test/conformance/write.ts`. A change of an existing case is a change of the meaning of models, so check the
// difference before you commit it.
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { readNir } from '../../services/engines/local/nir-reader.ts';
import type { GraphSpec } from '../support/nir-writer.ts';
import { writeNir } from '../support/nir-writer.ts';
import { CASES, caseNames, readCase } from './case-file.ts';
import { allCases } from './cases.ts';
import { runLocally } from './local-run.ts';
import { runOnSidecar } from './sidecar-run.ts';

mkdirSync(CASES, { recursive: true });
const specs = allCases();
for (const file of readdirSync(CASES)) {
  if (!specs.some(({ name }) => file.startsWith(`${name}.`))) rmSync(join(CASES, file));
}
for (const { name, group, graph, manifest, input } of specs) {
  const nir = unchanged(name, graph) ?? writeNir(graph);
  const expect = runLocally(nir, { manifest, input });
  writeFileSync(join(CASES, `${name}.nir`), nir);
  writeFileSync(join(CASES, `${name}.json`), `${JSON.stringify({ group, manifest, input, expect })}\n`);
}
const sidecar = runOnSidecar();
const names = caseNames();
const differing = names.filter((name) => {
  const { reference_agrees: isReferenceAlike, engine, refused } = sidecar.get(name)!;
  const isAlike = isReferenceAlike === true && isDeepStrictEqual(engine, readCase(name).expect);
  if (!isAlike)
    console.log(`${name}: ${refused ?? (isReferenceAlike === true ? 'the engines differ' : 'the reference differs')}`);
  return !isAlike;
});
console.log(`${names.length} cases in ${CASES}, ${differing.length} differing`);
process.exitCode = differing.length === 0 ? 0 : 1;

/** Keeps the existing file if its content is the same: HDF5 writes times, and a new file would change every digest. */
function unchanged(name: string, graph: GraphSpec): Uint8Array | undefined {
  const path = join(CASES, `${name}.nir`);
  if (!existsSync(path)) return undefined;
  const old = readFileSync(path);
  return isDeepStrictEqual(readNir(old), readNir(writeNir(graph))) ? old : undefined;
}
