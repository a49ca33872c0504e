// Tools and data of others that the judges of the edge need. They are found, or built once and kept in
// ~/.cache/tandem-edge.
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';

const CACHE = join(homedir(), '.cache/tandem-edge');
/** Not TANDEM_…: the router refuses a variable of that form that it does not know. */
const SOURCES = 'EDGE_SOURCES';
const runFile = promisify(execFile);

/** A tool that is missing and cannot be built here. The message says what to do. */
export class MissingTool extends Error {}

interface Repository {
  readonly name: string;
  readonly url: string;
  readonly commit: string;
}

const H2SPEC: Repository = {
  name: 'h2spec',
  url: 'https://github.com/summerwind/h2spec',
  commit: 'af83a65f0b6273ef38bf778d400d98892e7653d8',
};

const HPACK_STORIES: Repository = {
  name: 'hpack-test-case',
  url: 'https://github.com/http2jp/hpack-test-case',
  commit: '8a1406e7d14bfcb6c046021f13cc15cfb162726d',
};

/** gRPC's own interoperability programs; the version is fixed so that every run judges by the same cases. */
const GRPC_GO = 'v1.85.0';
/** As in interop/pom.xml. */
const GRPC_JAVA = '1.79.0';
const GO_FOLDERS = ['/usr/local/go/bin'];

/** The program h2spec. */
export async function h2spec(): Promise<string> {
  const binary = join(CACHE, `h2spec-${H2SPEC.commit.slice(0, 12)}`);
  if (existsSync(binary)) return binary;
  const source = await checkout(H2SPEC);
  await go(['build', '-trimpath', '-o', `${binary}.new`, './cmd/h2spec/h2spec.go'], { cwd: source, CGO_ENABLED: '0' });
  renameSync(`${binary}.new`, binary);
  rmSync(source, { recursive: true });
  return binary;
}

/** The folder of the public HPACK stories: one folder an encoder. */
export async function hpackStories(): Promise<string> {
  const folder = join(CACHE, `hpack-test-case-${HPACK_STORIES.commit.slice(0, 12)}`);
  if (!existsSync(folder)) renameSync(await checkout(HPACK_STORIES), folder);
  return folder;
}

/** gRPC-Go's interop client and server. */
export async function grpcGo(): Promise<{ readonly client: string; readonly server: string }> {
  const folder = join(CACHE, `grpc-go-${GRPC_GO}`);
  const programs = { client: join(folder, 'client'), server: join(folder, 'server') };
  for (const [name, binary] of Object.entries(programs)) {
    if (existsSync(binary)) continue;
    await go(['install', `google.golang.org/grpc/interop/${name}@${GRPC_GO}`], { GOBIN: folder });
  }
  return programs;
}

/** The class path of gRPC-Java's interop client and server. */
export async function grpcJava(): Promise<string> {
  const folder = join(CACHE, `grpc-java-${GRPC_JAVA}`);
  if (!existsSync(folder)) {
    const pom = join(import.meta.dirname, 'interop/pom.xml');
    mkdirSync(CACHE, { recursive: true });
    process.stderr.write('  … mvn dependency:copy-dependencies (once)\n');
    try {
      await runFile('java', ['-version']);
      await runFile('mvn', ['-q', '-B', '-f', pom, 'dependency:copy-dependencies', `-DoutputDirectory=${folder}.new`]);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      throw new MissingTool(
        'Java or Maven is missing. Install them (apt-get install -y default-jdk maven), then run this again.',
      );
    }
    renameSync(`${folder}.new`, folder);
  }
  return join(folder, '*');
}

/** A new folder with the repository's files at its commit. */
async function checkout({ name, url, commit }: Repository): Promise<string> {
  mkdirSync(CACHE, { recursive: true });
  const folder = join(CACHE, `${name}-source.${process.pid}`);
  const kept = process.env[SOURCES] === undefined ? undefined : join(process.env[SOURCES], name);
  const source = kept !== undefined && existsSync(kept) ? kept : url;
  try {
    await runFile('git', ['clone', '--quiet', source, folder], { timeout: 120_000 });
    await runFile('git', ['-C', folder, 'checkout', '--quiet', commit]);
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw new MissingTool(
      `${name} cannot be downloaded from ${source}. If that address cannot be reached, put a clone of ${url} into a folder ` +
        `as ${name}, and name that folder in ${SOURCES}. (${(error as Error).message.trim().split('\n').at(-1)})`,
    );
  }
  return folder;
}

async function go(args: string[], { cwd = CACHE, ...env }: { cwd?: string } & Record<string, string>): Promise<void> {
  mkdirSync(CACHE, { recursive: true });
  const PATH = [process.env['PATH'], ...GO_FOLDERS].join(delimiter);
  process.stderr.write(`  … go ${args.join(' ')} (minutes, once)\n`);
  try {
    await runFile('go', args, { cwd, env: { ...process.env, ...env, PATH } });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    throw new MissingTool('Go is missing. Install Go 1.24 or later (https://go.dev/dl), then run this again.');
  }
}
