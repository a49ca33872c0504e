// The links of the pages for users have existing targets.
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { anchorsOf, linksOf } from '../support/markdown.ts';

const ROOT = join(import.meta.dirname, '../..');
const DOCS = readdirSync(join(ROOT, 'docs')).filter((name) => name.endsWith('.md'));
const PAGES = ['README.md', 'CONTRIBUTING.md', 'SECURITY.md', 'deploy/RUNBOOK.md', 'deploy/TROUBLESHOOTING.md'].concat(
  DOCS.map((name) => `docs/${name}`),
);

const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const links = PAGES.flatMap((page) =>
  linksOf(read(page))
    .filter((target) => !/^[a-z]+:/.test(target))
    .map((target) => ({ page, target })),
);

describe('a link', () => {
  it.each(links)('in $page has the existing target $target', ({ page, target }) => {
    const [file = '', anchor = ''] = target.split('#');
    const path = file === '' ? page : join(dirname(page), file);
    expect(existsSync(join(ROOT, path))).toBe(true);
    if (anchor !== '') expect(anchorsOf(read(path))).toContain(anchor);
  });
});
