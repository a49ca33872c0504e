import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Docs } from './docs.ts';

const folders: string[] = [];

function docsOf(files: Readonly<Record<string, string>>): Docs {
  const root = mkdtempSync(join(tmpdir(), 'tandem-docs-'));
  folders.push(root);
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), text);
  }
  return new Docs(root);
}

async function htmlOf(docs: Docs, name: string): Promise<string> {
  return String((await docs.read(name))?.body ?? '');
}

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

describe('Docs', () => {
  it('serve every page, and all links lead to an existing page or section', async () => {
    const docs = new Docs();
    const waiting = [''];
    const pages = new Map<string, string>();
    for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
      if (pages.has(name)) continue;
      const html = await htmlOf(docs, name);
      pages.set(name, html);
      for (const [, to = ''] of html.matchAll(/(?:href|src)="\/docs\/([^"#]*)/g)) waiting.push(to);
    }
    expect([...pages].filter(([, html]) => html === '').map(([name]) => name)).toEqual([]);
    for (const each of ['voting', 'model-yaml', 'faq', 'runbook', 'readme']) expect([...pages.keys()]).toContain(each);
    const broken = [...pages].flatMap(([name, html]) =>
      [...html.matchAll(/href="(?:\/docs\/([^"#]*))?#([^"]+)"/g)]
        .filter(([, page, section = '']) => !(pages.get(page ?? name) ?? '').includes(`id="${section}"`))
        .map(([link]) => `${name}: ${link}`),
    );
    expect(broken).toEqual([]);
  });

  it('escape HTML in the text of a page', async () => {
    const docs = docsOf({
      'docs/README.md': '# A <b>\n\n<script>alert(1)</script>\n\ntext <img src=x onerror=y> `<i>`',
    });
    const html = await htmlOf(docs, '');
    expect(html).toContain('&lt;script&gt;');
    expect(html).not.toMatch(/<script>alert|<img|<b>|<i>/);
  });

  it('link to other pages but not to files that are not served', async () => {
    const docs = docsOf({
      'docs/README.md':
        '[a](a.md#some-part) [b](../services/main.ts) [c](javascript:alert(1)) [d](https://example.org/)',
      'docs/a.md': '# Some part',
    });
    const html = await htmlOf(docs, '');
    expect([...html.matchAll(/<a href="([^"]+)">[a-d]</g)].map(([, href]) => href)).toEqual([
      '/docs/a#some-part',
      'https://example.org/',
    ]);
    expect(await htmlOf(docs, 'a')).toContain('<h1 id="some-part">');
  });

  it('return nothing if the installation has no docs', async () => {
    const docs = docsOf({});
    expect([await docs.read(''), await docs.read('../package.json')]).toEqual([undefined, undefined]);
  });
});
