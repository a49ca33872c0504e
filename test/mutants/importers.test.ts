import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Importers } from './importers.ts';

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'tandem-importers-'));
});

afterEach(() => rmSync(root, { recursive: true }));

function write(files: Record<string, string>): Importers {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(root, dirname(name)), { recursive: true });
    writeFileSync(join(root, name), text);
  }
  return new Importers(root, ['code']);
}

describe('the tests of a file', () => {
  it('are those that import it, also indirectly, each with the shortest distance', () => {
    const importers = write({
      'code/a.ts': '',
      'code/sub/b.ts': "import { a } from '../a.ts';",
      'code/c.ts': "export * from './sub/b.ts';",
      'code/a.test.ts': "import './a.ts';\nimport './c.ts';",
      'code/c.test.ts': "import type {\n  C,\n} from './c.ts';",
      'code/other.test.ts': "import { x } from 'somewhere';",
    });
    expect([...importers.testsOf('code/a.ts')]).toEqual([
      ['code/a.test.ts', 1],
      ['code/c.test.ts', 3],
    ]);
  });

  it('are found if files import each other', () => {
    const importers = write({ 'code/a.ts': "import './b.ts';", 'code/b.ts': "import './a.ts';" });
    expect([...importers.testsOf('code/a.ts')]).toEqual([]);
  });
});
