// Adds Debian packages to a CycloneDX document. Usage: … | node scripts/sbom-debian.ts LIST
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

interface Component {
  readonly type: string;
  readonly name: string;
  readonly version: string;
  readonly purl: string;
  readonly 'bom-ref': string;
}

const [list = ''] = process.argv.slice(2);
// The first paragraph lists the packages to build the engine; the others are for tests and checks.
const [built = ''] = readFileSync(list, 'utf8').split('\n\n');
const wanted = built
  .split('\n')
  .map((line) => line.replace(/#.*/, '').trim())
  .filter((name) => name.startsWith('lib') || name.startsWith('nlohmann'));

function component(name: string): Component[] {
  try {
    const [, version = ''] = execFileSync('dpkg-query', ['-W', name], { encoding: 'utf8', stdio: 'pipe' })
      .trim()
      .split('\t');
    const purl = `pkg:deb/debian/${name}@${encodeURIComponent(version)}`;
    return [{ type: 'library', name, version, purl, 'bom-ref': purl }];
  } catch {
    process.stderr.write(`sbom: ${name} is not installed here, and is left out\n`);
    return [];
  }
}

const document = JSON.parse(readFileSync(0, 'utf8')) as { components?: Component[] };
const components = [...(document.components ?? []), ...wanted.flatMap(component)];
process.stdout.write(`${JSON.stringify({ ...document, components }, null, 2)}\n`);
