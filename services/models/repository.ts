// The model repository as the router needs it: names, versions, what goes in, and how to read what comes out.
// Engines read the same folder (<model>/model.yaml, <model>/<version>/model.nir) for the networks themselves.
import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Encoder, EventBins, Manifest, ReadoutFrom } from '../config/manifest.ts';
import { type ModelFolder, listModelFolders } from '../config/model-folders.ts';
import { readRegularFile } from '../config/regular-file.ts';
import type { ModelVote } from '../config/vote.ts';
import { type GoldenCase, readGolden } from './golden.ts';

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
  /** Why the manifest cannot be used; empty: it can. */
  readonly error: string;
}

export class ModelRepository {
  /** By name, then version, highest last. */
  readonly versions: readonly ModelVersion[];
  readonly defaultModel: string;
  /** By name, highest version first. */
  readonly #byName: ReadonlyMap<string, readonly ModelVersion[]>;

  constructor(versions: readonly ModelVersion[], defaultModel: string) {
    this.versions = versions;
    this.defaultModel = defaultModel;
    this.#byName = Map.groupBy([...versions].reverse(), ({ name }) => name);
  }

  /** Reads a repository folder once. A model whose manifest is wrong is kept, with its `error`. */
  static read(dir: string, defaultModel: string): ModelRepository {
    if (!existsSync(dir)) throw new Error(`there is no model repository at "${dir}"; set models_dir`);
    return new ModelRepository(listModelFolders(dir).map(toVersion), defaultModel);
  }

  /** Versions that a request may mean, best first. `name` empty: the default model; `version` 0: all, highest first. */
  find(name: string, version: number): readonly ModelVersion[] {
    const all = this.#byName.get(name || this.defaultModel) ?? [];
    return version === 0 ? all : all.filter((model) => model.version === version);
  }
}

function toVersion({ name, version, path, manifest, error }: ModelFolder): ModelVersion {
  let labels: readonly string[] = [];
  let golden: readonly GoldenCase[] = [];
  let fileError = '';
  try {
    labels = readLabels(path, manifest?.labels);
    golden = readGolden(path, manifest?.golden, version);
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
    vote: manifest?.vote,
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
