// The tests that import a file, with the number of files between: the nearest ones usually detect a fault first.
import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';

const IMPORT = /(?:from|import|new URL)\s*\(?\s*'(\.{1,2}\/[^']+\.ts)'/g;

/** The distance of the file from each test, by the test's path: 1 if it imports the file itself. */
type Distances = ReadonlyMap<string, number>;

export class Importers {
  readonly #importedBy = new Map<string, string[]>();

  /** `folders`: to search, within `root`. */
  constructor(root: string, folders: readonly string[]) {
    for (const folder of folders) {
      for (const name of readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })) {
        if (!name.endsWith('.ts') || name.includes('generated/')) continue;
        const file = join(folder, name);
        for (const [, target] of readFileSync(join(root, file), 'utf8').matchAll(IMPORT)) {
          const imported = normalize(join(dirname(file), target!));
          this.#importedBy.set(imported, [...(this.#importedBy.get(imported) ?? []), file]);
        }
      }
    }
  }

  testsOf(file: string): Distances {
    const distances = new Map([[file, 0]]);
    // The iterator of a Map also visits entries that are added meanwhile, in that order: breadth first.
    for (const [at, distance] of distances) {
      for (const importer of this.#importedBy.get(at) ?? []) {
        if (!distances.has(importer)) distances.set(importer, distance + 1);
      }
    }
    return new Map([...distances].filter(([each]) => each.endsWith('.test.ts')));
  }
}
