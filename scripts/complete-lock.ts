// Adds to package-lock.json the optional packages of other platforms that npm left out.
//
// Packages with native parts (buf, swc, …) name one optional package for each platform. If a registry mirror lacks some
// of them, `npm install` leaves them out of the lock file silently, and npm 11's `npm ci` then refuses that lock file
// everywhere. npm never fetches a package of another platform, so its name, version, os and cpu are enough. Run it
// after `npm install`; `npm run check` says when it is needed.
//
// Usage: node scripts/complete-lock.ts [--check | --help]
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

interface LockedPackage {
  version?: string;
  dev?: boolean;
  optional?: boolean;
  cpu?: string[];
  os?: string[];
  optionalDependencies?: Record<string, string>;
}

interface LockFile {
  packages: Record<string, LockedPackage>;
}

const LOCK_FILE = join(import.meta.dirname, '../package-lock.json');

/** The names of a platform in these packages and in npm. */
const OS: Record<string, string> = { windows: 'win32' };
const CPU: Record<string, string> = { aarch64: 'arm64', armv7: 'arm' };
for (const os of [
  'aix',
  'android',
  'darwin',
  'freebsd',
  'linux',
  'netbsd',
  'openbsd',
  'openharmony',
  'sunos',
  'win32',
]) {
  OS[os] = os;
}
for (const cpu of ['arm', 'arm64', 'ia32', 'loong64', 'mips64el', 'ppc64', 'riscv64', 's390x', 'wasm32', 'x64']) {
  CPU[cpu] = cpu;
}

/** Returns true if a package at `from` finds `name`, as Node.js searches: there, then in each parent folder. */
function isLocked(packages: LockFile['packages'], from: string, name: string): boolean {
  for (let at = from; ; at = at.slice(0, Math.max(0, at.lastIndexOf('node_modules/') - 1))) {
    if (`${at === '' ? '' : `${at}/`}node_modules/${name}` in packages) return true;
    if (at === '') return false;
  }
}

function missing({ packages }: LockFile): Record<string, LockedPackage> {
  const found: Record<string, LockedPackage> = {};
  for (const [from, { dev, optionalDependencies = {} }] of Object.entries(packages)) {
    for (const [name, version] of Object.entries(optionalDependencies)) {
      if (isLocked(packages, from, name)) continue;
      const words = name.slice(name.lastIndexOf('/') + 1).split('-');
      const os = words.flatMap((word) => OS[word] ?? []);
      const cpu = words.flatMap((word) => CPU[word] ?? []);
      if (!/^\d/.test(version) || os.length + cpu.length === 0) {
        throw new Error(`${from} → ${name}@${version}: not a package of one platform, so npm itself must lock it`);
      }
      found[`node_modules/${name}`] = {
        version,
        ...(cpu.length > 0 && { cpu }),
        ...(dev === true && { dev }),
        optional: true,
        ...(os.length > 0 && { os }),
      };
    }
  }
  return found;
}

const [option] = process.argv.slice(2);
const lock = JSON.parse(readFileSync(LOCK_FILE, 'utf8')) as LockFile;
const absent = missing(lock);
const names = Object.keys(absent).map((path) => path.replace('node_modules/', ''));
if (option === '--help') {
  console.log('Adds to package-lock.json the optional packages of other platforms that npm left out.\n');
  console.log('Usage: node scripts/complete-lock.ts [--check]\n\n  --check  change nothing; fail if any is missing');
} else if (option === '--check') {
  if (names.length > 0) {
    console.log(`package-lock.json lacks ${names.join(', ')}.\nRun: node scripts/complete-lock.ts`);
    process.exitCode = 1;
  }
} else if (names.length > 0) {
  lock.packages = Object.fromEntries(
    Object.entries({ ...lock.packages, ...absent }).sort(([a], [b]) => (a < b ? -1 : 1)),
  );
  writeFileSync(LOCK_FILE, `${JSON.stringify(lock, null, 2)}\n`);
  console.log(`Added ${names.join(', ')}.`);
}
