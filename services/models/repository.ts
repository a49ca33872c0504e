// The model repository for the router: names, versions, inputs, and how to interpret outputs. Engines read the networks
// from the same folder (<model>/model.yaml, <model>/<version>/model.nir).
import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Encoder, EventBins, Manifest } from '../config/manifest.ts';
import { type ModelFolder, listModelFolders } from '../config/model-folders.ts';
import type { ReadoutFrom } from '../config/readout.ts';
import { readRegularFile } from '../config/regular-file.ts';
import type { ModelVote } from '../config/vote.ts';
import { compareNames } from '../core/names.ts';
import { versionKey } from '../core/version-key.ts';
import { type GoldenCase, readGolden } from './golden.ts';
import { type Tokenizer, readTokenizer } from './tokenizer.ts';
import { VersionUse } from './version-use.ts';

const MAX_LABELS_BYTES = 16 * 1024 * 1024;

export interface ModelVersion {
  readonly name: string;
  readonly version: number;
  readonly inputKind: 'constant' | 'series';
  /** Shape of one step; undefined if the network defines it. */
  readonly inputShape: readonly number[] | undefined;
  readonly readout: {
    readonly from: ReadoutFrom;
    readonly labels: readonly string[];
    readonly temperature: number;
  };
  /** Encodes inputs as series; undefined: inputs are used unchanged. */
  readonly encoder?: Encoder | undefined;
  /** Converts events to a series; undefined: events are not accepted. */
  readonly events?: EventBins | undefined;
  /** Steps of a constant input. */
  readonly steps: number;
  /** Seconds. */
  readonly dt: number;
  /** Vote settings that differ from the router's. */
  readonly vote: ModelVote | undefined;
  /** Golden vectors; may be empty. */
  readonly golden: readonly GoldenCase[];
  /** "key value" of each setting that has its default. */
  readonly defaults: readonly string[];
  /** Name under which engines hold it; usually its own. */
  readonly heldAs: string;
  /** An operator unloaded it: it is listed but not served. */
  readonly isUnloaded: boolean;
  /** Its folder; undefined: no files from which engines could load it. */
  readonly folder?: ModelFolder;
  /** Number of current requests for it. */
  readonly use: VersionUse;
  /** Undefined: it does not accept text. */
  readonly tokenizer: Tokenizer | undefined;
  /** Why the manifest is invalid; empty: it is valid. */
  readonly error: string;
}

function takesText({ tokenizer, error }: ModelVersion): boolean {
  return tokenizer !== undefined && error === '';
}

/** "name/version". */
export function keyOf({ name, version }: Pick<ModelVersion, 'name' | 'version'>): string {
  return versionKey(name, version);
}

export class ModelRepository {
  readonly defaultModel: string;
  #versions: readonly ModelVersion[] = [];
  /** Served versions: by name, highest version first. */
  #byName: ReadonlyMap<string, readonly ModelVersion[]> = new Map();

  constructor(versions: readonly ModelVersion[], defaultModel: string) {
    this.defaultModel = defaultModel;
    this.#replace(versions);
  }

  /** Sorted by name and version, highest last; includes invalid and unloaded versions. */
  get versions(): readonly ModelVersion[] {
    return this.#versions;
  }

  /** Reads a repository folder once. A model with an invalid manifest is kept, with its `error`. */
  static read(dir: string, defaultModel: string): ModelRepository {
    if (!existsSync(dir)) throw new Error(`there is no model repository at "${dir}"; set models_dir`);
    return new ModelRepository(
      listModelFolders(dir).map((folder) => toVersion(folder)),
      defaultModel,
    );
  }

  /**
   * The model for a text without a model name: the default model if it takes text, else the model with its name plus
   * "-text", else the first by name that takes text, else empty. So an added model or a student does not become the
   * default.
   */
  get textModel(): string {
    const usual = [...this.find('', 0), ...this.find(`${this.defaultModel}-text`, 0)];
    return [...usual, ...this.versions].find(takesText)?.name ?? '';
  }

  /** The best version of `textModel` that takes text; undefined: there is none. */
  get textVersion(): ModelVersion | undefined {
    return this.find(this.textModel, 0).find(takesText);
  }

  /** Candidate versions for a request, best first. `name` empty: the default model; `version` 0: all, highest first. */
  find(name: string, version: number): readonly ModelVersion[] {
    const all = this.#byName.get(name || this.defaultModel) ?? [];
    return version === 0 ? all : all.filter((model) => model.version === version);
  }

  /** Includes unloaded versions. */
  get(name: string, version: number): ModelVersion | undefined {
    return this.#versions.find((each) => each.name === name && each.version === version);
  }

  /** Makes it visible to requests, replacing the version of the same name and number in one step. */
  put(version: ModelVersion): void {
    this.#replace([...this.#without(version), version]);
  }

  remove(version: Pick<ModelVersion, 'name' | 'version'>): void {
    this.#replace(this.#without(version));
  }

  #without({ name, version }: Pick<ModelVersion, 'name' | 'version'>): readonly ModelVersion[] {
    return this.#versions.filter((each) => each.name !== name || each.version !== version);
  }

  #replace(versions: readonly ModelVersion[]): void {
    this.#versions = [...versions].sort((a, b) => compareNames(a.name, b.name) || a.version - b.version);
    const served = this.#versions.filter(({ isUnloaded }) => !isUnloaded).reverse();
    this.#byName = Map.groupBy(served, ({ name }) => name);
  }
}

/** `heldAs`: the name under which engines hold it, if it is not its own. */
export function toVersion(folder: ModelFolder, heldAs = folder.name): ModelVersion {
  const { name, version, path, manifest, defaults, isUnloaded, error } = folder;
  let labels: readonly string[] = [];
  let golden: readonly GoldenCase[] = [];
  let tokenizer: Tokenizer | undefined;
  let fileError = '';
  try {
    labels = readLabels(path, manifest?.labels);
    golden = readGolden(folder, manifest?.golden);
    tokenizer = readTokenizer(path, manifest?.tokenizer);
  } catch (thrown) {
    fileError = (thrown as Error).message;
  }
  return {
    name,
    version,
    inputKind: manifest?.input.kind ?? 'constant',
    inputShape: manifest?.input.shape,
    readout: { from: manifest?.readout.from ?? 'spike_count', labels, temperature: manifest?.temperature ?? 1 },
    encoder: manifest?.encoder,
    events: manifest?.events,
    steps: manifest?.steps ?? 0,
    dt: manifest?.dt ?? 0,
    golden,
    tokenizer,
    vote: manifest?.vote,
    ...{ defaults, heldAs, isUnloaded, folder, use: new VersionUse() },
    error: error || fileError,
  };
}

/** A list, or the name of a file beside the manifest with one label per line. */
function readLabels(folder: string, labels: Manifest['labels']): readonly string[] {
  if (labels === undefined || Array.isArray(labels)) return labels ?? [];
  if (basename(labels) !== labels) throw new Error(`model.yaml: labels: "${labels}" is not a file beside it`);
  try {
    return readRegularFile(join(folder, labels), MAX_LABELS_BYTES)
      .toString()
      .split('\n')
      .map((line) => line.trim())
      .filter(Boolean);
  } catch (error) {
    throw new Error(`model.yaml: labels: ${(error as Error).message}`, { cause: error });
  }
}
