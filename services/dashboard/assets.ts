// The files of the pages, read once at start. Only paths in this list exist. There is no build step: browsers get the
// files of assets/ and uPlot unchanged.
import { createHash } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, extname, join } from 'node:path';
import { gzipSync } from 'node:zlib';

export interface Asset {
  readonly type: string;
  readonly body: Buffer;
  readonly gzipped: Buffer;
  readonly etag: string;
}

const TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};
const OWN = join(import.meta.dirname, 'assets');
const UPLOT = join(dirname(createRequire(import.meta.url).resolve('uplot')));
const UPLOT_FILES = ['uPlot.iife.min.js', 'uPlot.min.css'];

/** By the path of their URL. */
export function readAssets(): ReadonlyMap<string, Asset> {
  const own = readdirSync(OWN, { recursive: true, encoding: 'utf8' })
    .filter((name) => extname(name) in TYPES)
    .map((name) => [name === 'index.html' ? '/' : `/assets/${name}`, join(OWN, name)] as const);
  const uplot = UPLOT_FILES.map((name) => [`/assets/${name}`, join(UPLOT, name)] as const);
  return new Map([...own, ...uplot].map(([path, file]) => [path, toAsset(file)]));
}

function toAsset(file: string): Asset {
  const body = readFileSync(file);
  const etag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`;
  return { type: TYPES[extname(file)] ?? '', body, gzipped: gzipSync(body), etag };
}
