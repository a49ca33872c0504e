import { describe, expect, it } from '@jest/globals';
import { anchorsOf, blocksOf, commandsOf, inlineCommandsOf, linksOf, localAddressesOf } from './markdown.ts';

const fenced = (language: string, ...lines: string[]): string => `\`\`\`${language}\n${lines.join('\n')}\n\`\`\`\n`;

describe('a page in Markdown', () => {
  it('gives its fenced blocks, with their language', () => {
    expect(blocksOf(`a\n\n${fenced('ts', 'f();', '', 'g();')}\nb\n${fenced('', 'text')}`)).toEqual([
      { language: 'ts', text: 'f();\n\ng();' },
      { language: '', text: 'text' },
    ]);
  });

  it('gives the commands in its text, also across lines, but not those in blocks', () => {
    const page = `Run \`npx tandem\n  reason\` or \`A_B=http://c npm start\`; \`vote\`.\n\n${fenced('sh', '`npm test`')}`;
    expect(inlineCommandsOf(page)).toEqual(['npx tandem reason', 'A_B=http://c npm start']);
  });

  it('counts a single option as a command', () => {
    expect(inlineCommandsOf('and `--profile metrics` adds')).toEqual(['--profile metrics']);
  });

  it('gives its addresses on this machine', () => {
    expect(localAddressesOf('<http://127.0.0.1:8080/>, <https://example.org/>')).toEqual(['http://127.0.0.1:8080/']);
  });

  it('gives its links and pictures, without those in code', () => {
    expect(linksOf('[a](b.md) ![c](d.png)\n[`e`](f#g) `h[0](i)`')).toEqual(['b.md', 'd.png', 'f#g']);
  });

  it('gives the anchors that GitHub creates for its headings', () => {
    expect([...anchorsOf('# No engine, `left`\n\ntext\n\n## error-ratio\n')]).toEqual([
      'no-engine-left',
      'error-ratio',
    ]);
  });
});

describe('a shell block', () => {
  it('has one command per line, without comments', () => {
    expect(commandsOf('npm start   # runs it\n\nnpm test')).toEqual(['npm start', 'npm test']);
  });

  it('may continue a command after a pipe or a backslash', () => {
    expect(commandsOf('a |\n  b\nc \\\n  d')).toEqual(['a | b', 'c d']);
  });
});
