// The machines for tests of the image, and how to run a program of the image on one of them.
import { tmpdir } from 'node:os';
import { resolve } from 'node:path';

export interface Machine {
  /** Its name in `tandem-engine --version`. */
  readonly arch: 'x86-64' | 'arm64';
  /** A CPU of qemu; undefined: this machine's own. */
  readonly cpu?: string;
  /** The instruction set that the engine must choose; undefined: the best one here. */
  readonly simd?: string;
  /** Overrides the choice. */
  readonly force?: string;
  /** The kind of machine that it represents. */
  readonly like: string;
}

export const MACHINES: readonly Machine[] = [
  { arch: 'x86-64', like: 'this machine' },
  { arch: 'x86-64', cpu: 'qemu64', simd: 'scalar', like: 'the least that Debian runs on: SSE2' },
  { arch: 'x86-64', cpu: 'Nehalem', simd: 'ssse3', like: '2008' },
  { arch: 'x86-64', cpu: 'Westmere', simd: 'sse4', like: '2010' },
  { arch: 'x86-64', cpu: 'Haswell', simd: 'avx2', like: '2013' },
  { arch: 'arm64', cpu: 'cortex-a53', simd: 'neon', like: 'the least that Debian runs on: ARMv8.0' },
  { arch: 'arm64', cpu: 'cortex-a53', simd: 'scalar', force: 'scalar', like: 'the same, plain loops' },
  { arch: 'arm64', cpu: 'max', simd: 'neon', like: 'SVE, SVE2 and all else' },
];

const QEMU = { 'x86-64': 'qemu-x86_64-static', arm64: 'qemu-aarch64-static' } as const;

/** Of scripts/portable. */
const IMAGE = { 'x86-64': 'tandem-engine:portable-x86-64', arm64: 'tandem-engine:portable-arm64' } as const;

/**
 * `tandem-engine` of the image, on that machine: a program and its first arguments. It sees this machine's network and
 * temporary folder.
 */
export function engineCommand({ arch, cpu, force }: Machine): [string, ...string[]] {
  const user = `${process.getuid!()}:${process.getgid!()}`;
  const container = ['run', '--rm', '--init', '--network=host', '--user', user, '-v', `${tmpdir()}:${tmpdir()}:ro`];
  if (force !== undefined) container.push('-e', `TANDEM_SIMD=${force}`);
  const engine = '/usr/local/bin/tandem-engine';
  if (cpu === undefined) return ['docker', ...container, '--entrypoint', engine, IMAGE[arch]];
  const qemu = ['-v', `/usr/bin/${QEMU[arch]}:/qemu:ro`, '--entrypoint', '/qemu'];
  if (arch === 'arm64') {
    const made = resolve('.cache/portable'); // by scripts/portable
    qemu.push('-v', `${made}/arm64-loader:/arm64-loader:ro`);
    qemu.push('-v', `${made}/tandem-loader:/usr/local/bin/tandem-loader:ro`);
  }
  return ['docker', ...container, ...qemu, IMAGE[arch], '-cpu', cpu, engine];
}
