// Checks that every package of package-lock.json has an allowed licence. Prints those that have not.
//
// Usage: node scripts/licences.ts [package-lock.json]
import { readFileSync } from 'node:fs';

const ALLOWED = new Set([
  ...['MIT', 'ISC', '0BSD', 'BSD-2-Clause', 'BSD-3-Clause', 'Apache-2.0', 'BlueOak-1.0.0', 'CC0-1.0', 'Unlicense'],
]);

/** Packages that were checked by hand, with the result. */
const READ: Readonly<Record<string, string>> = {
  h5wasm: 'LICENSE.txt: public domain (NIST); the HDF5 library in it has a BSD licence',
  'caniuse-lite': 'CC-BY-4.0: data of a build tool, not shipped',
};

interface Package {
  readonly license?: string;
  readonly optional?: boolean;
  readonly dev?: boolean;
  readonly os?: readonly string[];
}

/** Returns one line for each package of a lock file whose licence is not allowed or not known. */
export function licenceProblems(lock: string): string[] {
  const { packages } = JSON.parse(lock) as { packages: Readonly<Record<string, Package>> };
  return Object.entries(packages).flatMap(([path, { license, optional, dev, os }]) => {
    const name = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
    if (path === '' || name in READ) return [];
    // Builds of a tool for other systems: the lock file has only their names.
    if (license === undefined && optional === true && dev === true && os !== undefined) return [];
    if (license !== undefined && isAllowed(license)) return [];
    return [
      `${name}: ${license ?? 'no licence'} is not among ${[...ALLOWED].join(', ')}; check it, or remove the package`,
    ];
  });
}

/** Checks an SPDX expression without nesting: "A OR B", "(A AND B)". */
function isAllowed(expression: string): boolean {
  const inside = expression.replace(/^\((.*)\)$/, '$1');
  if (inside.includes(' OR ')) return inside.split(' OR ').some((each) => ALLOWED.has(each));
  return inside.split(' AND ').every((each) => ALLOWED.has(each));
}

if (import.meta.main) {
  const problems = licenceProblems(readFileSync(process.argv[2] ?? 'package-lock.json', 'utf8'));
  for (const problem of problems) process.stdout.write(`${problem}\n`);
  process.exitCode = problems.length > 0 ? 1 : 0;
}
