// Only the shipped model for vectors: the one for text is fourteen times as large, and few tests need it.
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A repository with `supersense` only. */
export const SUPERSENSE = mkdtempSync(join(tmpdir(), 'tandem-models-'));
cpSync('deploy/models/supersense', join(SUPERSENSE, 'supersense'), { recursive: true });
process.once('exit', () => rmSync(SUPERSENSE, { recursive: true, force: true }));
