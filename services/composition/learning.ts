// Builds the students from the router's parts, and their view for the dashboard.
import { join } from 'node:path';
import { commitStatusName, toStates } from '../api/learning-state.ts';
import { listModelFolders } from '../config/model-folders.ts';
import { MAX_FILE_BYTES } from '../engines/local/limits.ts';
import { readRegularFile } from '../config/regular-file.ts';
import type { Settings } from '../config/schema.ts';
import type { StudentView } from '../dashboard/sources.ts';
import type { EnginePool } from '../engines/pool.ts';
import { Students } from '../learning/students.ts';
import type { ModelFiles } from '../learning/student-nir.ts';
import type { Publisher, RepositoryVersion, StudentParts } from '../learning/student.ts';
import type { FindVersion } from '../learning/teachers.ts';
import type { ModelRepository } from '../models/repository.ts';
import { readTokenizerFile } from '../models/tokenizer.ts';
import { hex64 } from '../core/hex.ts';
import { findVersion } from '../routing/find-model.ts';
import type { SystemEvents } from '../telemetry/system-events.ts';
import type { StateLocks } from './state-locks.ts';

export interface Learning {
  readonly students: Students;
  readonly findVersion: FindVersion;
  readonly filesOf: (model: string) => ModelFiles;
}

interface LearningParts {
  readonly models: ModelRepository;
  readonly pool: EnginePool;
  readonly publisher: Publisher;
  readonly system: SystemEvents;
  readonly locks: StateLocks;
}

export function learning(settings: Settings, { models, pool, publisher, system, locks }: LearningParts): Learning {
  const filesOf = (model: string): ModelFiles => readModel(settings.models_dir, model);
  const parts = {
    ...{ dir: settings.learning.dir, maxLogBytes: settings.learning.max_log_bytes, publisher, filesOf },
    versionsOf: (name) => models.versions.filter((each) => each.name === name).map(toVersion),
    tell: (severity, text, data) => system.tell('model', severity, text, data),
  } satisfies StudentParts;
  const students = new Students(parts, locks.learningRefusal);
  return { students, filesOf, findVersion: (name, version) => findVersion(models, pool, name, version) };
}

function toVersion({
  version,
  isUnloaded,
}: {
  readonly version: number;
  readonly isUnloaded: boolean;
}): RepositoryVersion {
  return { version, isServed: !isUnloaded };
}

/** `model`: "name/version". */
function readModel(modelsDir: string, model: string): ModelFiles {
  const folder = listModelFolders(modelsDir).find(({ name, version }) => `${name}/${version}` === model);
  if (folder?.manifest === undefined) throw new Error(`the repository has no usable model ${model} any more`);
  const nir = readRegularFile(join(folder.versionPath, 'model.nir'), MAX_FILE_BYTES);
  const { tokenizer } = folder.manifest;
  return {
    ...{ nir, manifest: folder.manifest },
    tokenizer: tokenizer === undefined ? undefined : readTokenizerFile(folder.path, tokenizer),
  };
}

export async function toStudentViews(students: Students): Promise<readonly StudentView[]> {
  return (await toStates(students, '')).map(({ examples, labelled, stateDigest, commits, curve, ...state }) => ({
    ...state,
    examples: Number(examples),
    labelled: Number(labelled),
    stateDigest: hex64(stateDigest),
    commits: commits.map(({ timeMs, status, version, why, heldOut, accuracy }) => ({
      ...{ version, why, heldOut, accuracy, timeMs: Number(timeMs) },
      status: commitStatusName(status),
    })),
    curve: curve.map(({ examples: before, ...point }) => ({ ...point, examples: Number(before) })),
  }));
}
