// `npm run check -- vocabulary`: says where a file of this project uses a word that vocabulary.yaml replaces by another one.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { parse } from 'yaml';

interface Word {
  readonly was: string;
  readonly is: string;
}

interface Vocabulary {
  readonly identifiers: readonly Word[];
  readonly texts: readonly Word[];
  readonly allow: readonly { readonly file: string; readonly word: string; readonly because: string }[];
}

/** A word in a file. */
interface Use {
  readonly word: string;
  /** From 1. */
  readonly line: number;
}

const ROOT = join(import.meta.dirname, '..');
const LIST = 'scripts/vocabulary.yaml';
const CHECKED =
  /^(?:services|sidecar-cpp|test|scripts|docs|proto|deploy)\/.*\.(?:ts|js|cc|h|proto|md|ya?ml|py|html|css)$|^scripts\/[^.]+$|^[^/]+\.(?:md|js|cjs|yml)$/;
/** Files of others, and records of what was. */
const LEFT_OUT = /^(?:proto\/google|test\/data|test\/conformance\/cases|services\/generated)\/|^CHANGELOG\.md$/;

const { identifiers, texts, allow } = parse(readFileSync(join(ROOT, LIST), 'utf8')) as Vocabulary;
const names = identifiers.map(({ was, is }) => ({ pattern: new RegExp(`^(?:${was})$`), is }));
const phrases = texts.map(({ was, is }) => ({ pattern: new RegExp(was), is }));
const exceptions = allow.map(({ file, word }) => ({ file: new RegExp(`^(?:${file})$`), word, isNeeded: false }));

const files = execFileSync('git', ['ls-files', '-z'], { cwd: ROOT, encoding: 'utf8' })
  .split('\0')
  .filter((file) => CHECKED.test(file) && !LEFT_OUT.test(file) && file !== LIST);
const problems = files.flatMap((file) => check(file, readFileSync(join(ROOT, file), 'utf8')));
for (const { file, word, isNeeded } of exceptions) {
  if (!isNeeded) problems.push(`${LIST}: no file needs the exception of "${word}" in ${file.source}; remove it`);
}
if (problems.length > 0) {
  console.log(problems.join('\n'));
  process.exitCode = 1;
}

function check(file: string, text: string): string[] {
  const found = namesOf(file, text).flatMap((use) => {
    const known = names.find(({ pattern }) => pattern.test(use.word));
    return known === undefined ? [] : [{ ...use, is: known.is }];
  });
  for (const [index, line] of text.split('\n').entries()) {
    for (const { pattern, is } of phrases) {
      const word = pattern.exec(line)?.[0];
      if (word !== undefined) found.push({ word, line: index + 1, is });
    }
  }
  return found
    .filter(({ word }) => !isAllowed(file, word))
    .map(({ word, line, is }) => `${file}:${line}: "${word}" is not in the vocabulary; write: ${is}`);
}

function isAllowed(file: string, word: string): boolean {
  const exception = exceptions.find((each) => each.word === word && each.file.test(file));
  if (exception !== undefined) exception.isNeeded = true;
  return exception !== undefined;
}

/** Names in code, outside of comments and texts. */
function namesOf(file: string, text: string): Use[] {
  if (/\.(?:ts|js|cjs)$/.test(file)) return namesOfScript(file, text);
  if (/\.(?:cc|h)$/.test(file)) return namesOfCpp(text);
  return [];
}

function namesOfScript(file: string, text: string): Use[] {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest);
  const uses: Use[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isIdentifier(node) || ts.isPrivateIdentifier(node)) {
      const { line } = source.getLineAndCharacterOfPosition(node.getStart(source));
      uses.push({ word: node.text.replace(/^#/, ''), line: line + 1 });
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return uses;
}

function namesOfCpp(text: string): Use[] {
  const blank = (part: string): string => part.replaceAll(/[^\n]/g, ' ');
  const code = text.replaceAll(/R"(\w*)\([^]*?\)\1"|\/\/.*|\/\*[^]*?\*\/|"(?:\\.|[^"\\\n])*"/g, blank);
  return code.split('\n').flatMap((line, index) => {
    return [...line.matchAll(/[A-Za-z_]\w*/g)].map(([word]) => ({ word: word.replace(/_$/, ''), line: index + 1 }));
  });
}
