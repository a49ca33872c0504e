// Reads documents from the user's files: Markdown, plain text, or JSONL with one document per line.
import { readdirSync, statSync } from 'node:fs';
import { basename, extname, join, relative } from 'node:path';
import { z } from 'zod';
import { readRegularFile } from '../config/regular-file.ts';
import { CorpusError } from './corpus-error.ts';
import { MAX_CORPUS_BYTES, MAX_DOCUMENTS, MAX_DOCUMENT_BYTES, MAX_DOCUMENT_NAME_CHARS } from './limits.ts';

export interface Document {
  readonly name: string;
  readonly text: string;
}

const TEXT_ENDINGS = new Set(['.md', '.markdown', '.txt', '.text', '.rst']);
const LINE_ENDING = '.jsonl';

const lineSchema = z.object({ name: z.string().min(1).max(MAX_DOCUMENT_NAME_CHARS).optional(), text: z.string() });

/** `path`: a file, or a folder with all its contents. Links are not followed. Throws CorpusError. */
export function readDocuments(path: string): Document[] {
  const stats = statOf(path);
  if (!stats.isDirectory()) return readFile(path, basename(path));
  const documents: Document[] = [];
  for (const entry of readdirSync(path, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile() || !isKnown(entry.name)) continue;
    const file = join(entry.parentPath, entry.name);
    for (const document of readFile(file, relative(path, file))) documents.push(document);
    if (documents.length > MAX_DOCUMENTS) throw tooMany(path);
  }
  if (documents.length === 0) {
    throw new CorpusError(`${path} has no ${[...TEXT_ENDINGS, LINE_ENDING].join(', ')} file; name another folder`);
  }
  return documents.sort((a, b) => (a.name < b.name ? -1 : 1));
}

function isKnown(name: string): boolean {
  const ending = extname(name).toLowerCase();
  return TEXT_ENDINGS.has(ending) || ending === LINE_ENDING;
}

function readFile(file: string, name: string): Document[] {
  const isLines = extname(file).toLowerCase() === LINE_ENDING;
  const text = decode(file, isLines ? MAX_CORPUS_BYTES : MAX_DOCUMENT_BYTES);
  if (!isLines) return [{ name: name.slice(0, MAX_DOCUMENT_NAME_CHARS), text }];
  const documents: Document[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue;
    documents.push(readLine(line, `${name}:${index + 1}`, file));
    if (documents.length > MAX_DOCUMENTS) throw tooMany(file);
  }
  return documents;
}

function readLine(line: string, location: string, file: string): Document {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw new CorpusError(`${file}: ${location} is not JSON; give one object a line`);
  }
  const parsed = lineSchema.safeParse(value);
  if (!parsed.success) {
    const { path, message } = parsed.error.issues[0]!;
    throw new CorpusError(`${file}: ${location}: "${path.join('.')}": ${message}; example: {"name": "a", "text": "…"}`);
  }
  const { name = location, text } = parsed.data;
  if (Buffer.byteLength(text) > MAX_DOCUMENT_BYTES) {
    throw new CorpusError(`${file}: ${location}: "text" is over ${MAX_DOCUMENT_BYTES} bytes; split it`);
  }
  return { name, text };
}

function decode(file: string, maxBytes: number): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(readRegularFile(file, maxBytes));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_ENCODING_INVALID_ENCODED_DATA')
      throw new CorpusError(`${file} is not UTF-8; convert it, or leave it out`);
    throw new CorpusError((error as Error).message, { cause: error });
  }
}

function statOf(path: string): ReturnType<typeof statSync> & { isDirectory(): boolean } {
  try {
    return statSync(path);
  } catch (error) {
    throw new CorpusError(`cannot read ${path}: ${(error as Error).message}`, { cause: error });
  }
}

function tooMany(path: string): CorpusError {
  return new CorpusError(`${path} has over ${MAX_DOCUMENTS} documents, the limit of a corpus; make several`);
}
