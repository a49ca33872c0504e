// Serves the documentation at /docs/: Markdown files of this installation, converted to HTML at the first request. Only
// paths in the list exist. Links to other files of the source tree become plain text, since those files are not served.
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { basename, dirname, extname, join, normalize } from 'node:path';
import type { MarkedExtension, Tokens } from 'marked';

const ROOT = join(import.meta.dirname, '../..');
/** Beside docs/*.md: name in the URL, and file. */
const OTHERS: readonly (readonly [string, string])[] = [
  ['', 'docs/README.md'],
  ['readme', 'README.md'],
  ['runbook', 'deploy/RUNBOOK.md'],
  ['troubleshooting', 'deploy/TROUBLESHOOTING.md'],
  ['numerics', 'proto/NUMERICS.md'],
];
const PICTURES = 'deploy/pictures';
const PICTURE_TYPES: Readonly<Record<string, string>> = { '.png': 'image/png', '.svg': 'image/svg+xml' };

interface DocFile {
  readonly type: string;
  readonly body: string | Buffer;
}

export class Docs {
  readonly #root: string;
  /** File, by its name in the URL; pictures as "pictures/NAME". */
  readonly #files: ReadonlyMap<string, string>;
  readonly #made = new Map<string, DocFile>();

  constructor(root = ROOT) {
    this.#root = root;
    const pages = [...list(root, 'docs', ['.md'])].map((file) => [basename(file, '.md'), file] as const);
    const pictures = list(root, PICTURES, Object.keys(PICTURE_TYPES)).map(
      (file) => [`pictures/${basename(file)}`, file] as const,
    );
    const others = OTHERS.filter(([, file]) => existsSync(join(root, file)));
    this.#files = new Map([...pages.filter(([name]) => name !== 'README'), ...others, ...pictures]);
  }

  /** `name`: what follows "/docs/". Undefined: there is no such page. */
  async read(name: string): Promise<DocFile | undefined> {
    const file = this.#files.get(name);
    if (file === undefined) return undefined;
    const made = this.#made.get(name) ?? (await this.#make(file));
    this.#made.set(name, made);
    return made;
  }

  async #make(file: string): Promise<DocFile> {
    const bytes = readFileSync(join(this.#root, file));
    const picture = PICTURE_TYPES[extname(file)];
    if (picture !== undefined) return { type: picture, body: bytes };
    const body = await toPage(bytes.toString('utf8'), (href) => this.#locate(file, href));
    return { type: 'text/html; charset=utf-8', body };
  }

  /** Target of a link of `file` on this server; undefined: not served. */
  #locate(file: string, href: string): string | undefined {
    if (/^(https?:\/\/|#)/.test(href)) return href;
    const [path = '', section = ''] = href.split('#', 2);
    const target = normalize(join(dirname(file), path));
    for (const [name, each] of this.#files) if (each === target) return `/docs/${name}${section && `#${section}`}`;
    return undefined;
  }
}

function list(root: string, folder: string, endings: readonly string[]): string[] {
  if (!existsSync(join(root, folder))) return [];
  const names = readdirSync(join(root, folder)).filter((name) => endings.includes(extname(name)));
  return names.sort().map((name) => `${folder}/${name}`);
}

type Locate = (href: string) => string | undefined;

async function toPage(markdown: string, locate: Locate): Promise<string> {
  const { Marked } = await import('marked'); // loaded late: most routers never serve a page
  const [, title = 'Documentation'] = /^# (.+)$/m.exec(markdown) ?? [];
  return frame(title, await new Marked(rendering(locate)).parse(markdown));
}

function rendering(locate: Locate): MarkedExtension {
  const taken = new Map<string, number>();
  return {
    renderer: {
      heading({ tokens, depth, text }: Tokens.Heading): string {
        return `<h${depth} id="${slug(text, taken)}">${this.parser.parseInline(tokens)}</h${depth}>\n`;
      },
      link({ href, tokens }: Tokens.Link): string {
        const text = this.parser.parseInline(tokens);
        const to = locate(href);
        return to === undefined ? text : `<a href="${escaped(to)}">${text}</a>`;
      },
      image({ href, text }: Tokens.Image): string {
        const from = locate(href);
        return from === undefined ? escaped(text) : `<img src="${escaped(from)}" alt="${escaped(text)}" />`;
      },
      table(token: Tokens.Table): string {
        const row = (cells: readonly Tokens.TableCell[], tag: string): string =>
          `<tr>${cells.map(({ tokens }) => `<${tag}>${this.parser.parseInline(tokens)}</${tag}>`).join('')}</tr>`;
        const body = token.rows.map((cells) => row(cells, 'td')).join('\n');
        return `<div class="scroll" tabindex="0"><table><thead>${row(token.header, 'th')}</thead><tbody>${body}</tbody></table></div>\n`;
      },
      html: ({ text }: Tokens.HTML | Tokens.Tag): string => escaped(text),
    },
  };
}

/** The same anchors as on GitHub, so that links into a page work in both places. */
function slug(text: string, taken: Map<string, number>): string {
  const plain = text
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replaceAll(/\s/g, '-');
  const times = taken.get(plain) ?? 0;
  taken.set(plain, times + 1);
  return times === 0 ? plain : `${plain}-${times}`;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}

function frame(title: string, content: string): string {
  return `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <title>${escaped(title)} · Tandem</title>
    <link rel="icon" href="/assets/icon.svg" type="image/svg+xml" />
    <link rel="stylesheet" href="/assets/style.css" />
    <link rel="stylesheet" href="/assets/docs.css" />
    <script src="/assets/theme.js"></script>
  </head>
  <body class="docs">
    <header class="top">
      <a class="brand" href="/">Tandem</a>
      <a href="/docs/">All pages</a>
      <a href="/">Dashboard</a>
    </header>
    <main>
${content}
    </main>
  </body>
</html>
`;
}
