// A model repository in a temporary folder.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { GraphSpec } from './nir-writer.ts';
import { writeNir } from './nir-writer.ts';

export class ModelFolder {
  readonly path = mkdtempSync(join(tmpdir(), 'tandem-models-'));

  /** Adds a version. The manifest belongs to the model, so the last one counts. */
  add(name: string, version: number, model: GraphSpec | Uint8Array, manifest: string): this {
    const folder = join(this.path, name, String(version));
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(this.path, name, 'model.yaml'), manifest);
    writeFileSync(join(folder, 'model.nir'), model instanceof Uint8Array ? model : writeNir(model));
    return this;
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}
