// The model repository as the router needs it: names, versions, what goes in, and how to read what comes out.
// Engines read the same folder (<model>/model.yaml, <model>/<version>/model.nir) for the networks themselves.
import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Encoder, EventBins, Manifest } from '../config/manifest.ts';
import { type ModelFolder, listModelFolders } from '../config/model-folders.ts';
import type { ReadoutFrom } from '../config/readout.ts';
import { readRegularFile } from '../config/regular-file.ts';
import type { ModelVote } from '../config/vote.ts';
import { compareNames } from '../core/names.ts';
import { type GoldenCase, readGolden } from './golden.ts';
import { type Tokenizer, readTokenizer } from './tokenizer.ts';
import { VersionUse } from './version-use.ts';

const MAX_LABELS_BYTES = 16 * 1024 * 1024;

export interface ModelVersion {
  readonly name: string;
  readonly version: number;
  readonly inputKind: 'constant' | 'series';
  /** Of one step; undefined where only the network says. */
  readonly inputShape: readonly number[] | undefined;
  readonly readout: {
    readonly from: ReadoutFrom;
    readonly labels: readonly string[];
    readonly temperature: number;
  };
  /** What makes a series of its inputs; undefined: they go in as they are. */
  readonly encoder?: Encoder | undefined;
  /** How events become a series; undefined: it takes none. */
  readonly events?: EventBins | undefined;
  /** Steps of a constant input. */
  readonly steps: number;
  /** Seconds. */
  readonly dt: number;
  /** What its votes have otherwise than the settings say. */
  readonly vote: ModelVote | undefined;
  /** Inputs with known answers; empty where there are none. */
  readonly golden: readonly GoldenCase[];
  /** "key value" of each setting that the manifest leaves to its default. */
  readonly defaults: readonly string[];
  /** Name under which engines hold it; as a rule its own. */
  readonly heldAs: string;
  /** An operator has unloaded it: it is listed, and not served. */
  readonly isUnloaded: boolean;
  /** Where it lies; undefined: nowhere that engines could be given it from. */
  readonly folder?: ModelFolder;
  /** Requests that mean it now. */
  readonly use: VersionUse;
  /** Undefined: it takes no text. */
  readonly tokenizer: Tokenizer | undefined;
  /** Why the manifest cannot be used; empty: it can. */
  readonly error: string;
}

function takesText({ tokenizer, error }: ModelVersion): boolean {
  return tokenizer !== undefined && error === '';
}

/** "name/version". */
export function keyOf({ name, version }: Pick<ModelVersion, 'name' | 'version'>): string {
  return `${name}/${version}`;
}

export class ModelRepository {
  readonly defaultModel: string;
  #versions: readonly ModelVersion[] = [];
  /** That are served: by name, highest version first. */
  #byName: ReadonlyMap<string, readonly ModelVersion[]> = new Map();

  constructor(versions: readonly ModelVersion[], defaultModel: string) {
    this.defaultModel = defaultModel;
    this.#replace(versions);
  }

  /** By name, then version, highest last; also those that cannot be used, or are unloaded. */
  get versions(): readonly ModelVersion[] {
    return this.#versions;
  }

  /** Reads a repository folder once. A model whose manifest is wrong is kept, with its `error`. */
  static read(dir: string, defaultModel: string): ModelRepository {
    if (!existsSync(dir)) throw new Error(`there is no model repository at "${dir}"; set models_dir`);
    return new ModelRepository(
      listModelFolders(dir).map((folder) => toVersion(folder)),
      defaultModel,
    );
  }

  /**
   * For a text without a model: the default model where it takes text, else the model NAME-text, with the default model's
   * name, else the first by name that takes text; else empty. So a model that is added or taught does not become the usual one.
   */
  get textModel(): string {
    const usual = [...this.find('', 0), ...this.find(`${this.defaultModel}-text`, 0)];
    return [...usual, ...this.versions].find(takesText)?.name ?? '';
  }

  /** The best version of `textModel` that takes text; undefined: there is none. */
  get textVersion(): ModelVersion | undefined {
    return this.find(this.textModel, 0).find(takesText);
  }

  /** Versions that a request may mean, best first. `name` empty: the default model; `version` 0: all, highest first. */
  find(name: string, version: number): readonly ModelVersion[] {
    const all = this.#byName.get(name || this.defaultModel) ?? [];
    return version === 0 ? all : all.filter((model) => model.version === version);
  }

  /** Also one that is unloaded. */
  get(name: string, version: number): ModelVersion | undefined {
    return this.#versions.find((each) => each.name === name && each.version === version);
  }

  /** From now on requests find it, in place of one with its name and version: at one moment, for all of them. */
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

/** `heldAs`: where engines hold it under another name than its own. */
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

/** A list, or the name of a file beside the manifest with a label a line. */
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
