// model.yaml: how a NIR file is run and what its answers mean. Unknown keys are errors, so that a misspelt setting
// never silently leaves a default in force.
import { parse } from 'yaml';
import { z } from 'zod';
import { encoderSchema, eventsSchema } from './input-settings.ts';
import { READOUTS } from './readout.ts';
import { modelVoteSchema } from './vote.ts';

export type { Encoder, EventBins } from './input-settings.ts';

export const MAX_MANIFEST_BYTES = 1024 * 1024;
const MAX_STEPS = 100_000;

const count = z.number().int().positive();

const gain = z.enum(['dt', 'unit', 'decayed']);

/** How neurons compute where NIR leaves it open: proto/NUMERICS.md, "Conventions". */
const neuronFields = {
  reset: z.enum(['value', 'subtract', 'subtract_delayed', 'value_delayed', 'none']),
  if_gain: z.enum(['dt', 'unit']),
  /** How an input enters LIF, LI and the membrane of CubaLIF and CubaLI. */
  lif_gain: gain,
  /** How an input enters the synapse of CubaLIF and CubaLI. */
  synapse_gain: gain,
  decay: z.enum(['euler', 'exponential']),
  /** Spikes of one neuron in one step. */
  spikes_per_step: z.enum(['single', 'multiple']),
  /** Whether a potential that equals its threshold fires. */
  fire_at: z.enum(['above', 'reached']),
  /** When a spike is emitted. */
  emit: z.enum(['same_step', 'next_step']),
  /** The potential before the first step. */
  v_start: z.enum(['zero', 'leak', 'reset']),
  /** No potential is lower at the end of a step. */
  v_min: z
    .number()
    .refine((value) => Number.isFinite(Math.fround(value)), 'must be a number that is finite in binary32')
    .transform((value) => value + 0), // -0 is 0
};

const fields = z.strictObject({
  /** Repeats the folder's name, for readers. */
  name: z.string().min(1).optional(),
  /** Seconds a step. */
  dt: z.number().positive().default(1e-3),
  /** Steps for a constant input. A time series has its own length. */
  steps: count.max(MAX_STEPS).default(16),
  reset: neuronFields.reset.default('value'),
  /** Default `dt`; then a load prints a warning. */
  if_gain: neuronFields.if_gain.optional(),
  lif_gain: neuronFields.lif_gain.default('dt'),
  synapse_gain: neuronFields.synapse_gain.default('dt'),
  decay: neuronFields.decay.default('euler'),
  spikes_per_step: neuronFields.spikes_per_step.default('single'),
  fire_at: neuronFields.fire_at.default('above'),
  emit: neuronFields.emit.default('same_step'),
  v_start: neuronFields.v_start.default('zero'),
  v_min: neuronFields.v_min.optional(),
  /** Settings of single nodes, by name, where they differ from the settings above. */
  nodes: z.record(z.string(), z.strictObject(neuronFields).partial()).optional(),
  input: z
    .strictObject({
      shape: z.array(count).min(1).optional(),
      kind: z.enum(['constant', 'series']).default('constant'),
    })
    .default({ kind: 'constant' }),
  readout: z
    .strictObject({
      node: z.string().min(1).optional(),
      from: z.enum(READOUTS).default('spike_count'),
    })
    .default({ from: 'spike_count' }),
  /** How an input becomes a series. */
  encoder: encoderSchema.optional(),
  /** How events of a sensor become a series. */
  events: eventsSchema.optional(),
  /** A file beside model.yaml with one label per line, or the labels themselves. */
  labels: z.union([z.string().min(1), z.array(z.string())]).optional(),
  /** Scores are softmax(readout / temperature). */
  temperature: z.number().positive().default(1),
  /** A file beside model.yaml with known inputs and their digests. */
  golden: z.string().min(1).optional(),
  /** A file beside model.yaml, a tokenizer.json, for a model that takes text; see proto/NUMERICS.md, "Text". */
  tokenizer: z.string().min(1).optional(),
  /** The vote policy of this model, where it differs from the settings. */
  vote: modelVoteSchema.optional(),
});

const schema = fields.superRefine(({ encoder, events, input }, context) => {
  const key = encoder === undefined ? 'events' : 'encoder';
  if ((encoder ?? events) === undefined || input.kind === 'series') return;
  context.addIssue({ code: 'custom', path: ['input', 'kind'], message: `must be series, since ${key} makes a series` });
});

export type Manifest = z.output<typeof schema>;

/** What the neurons of one node compute with. */
export type NeuronSettings = Pick<Manifest, keyof typeof neuronFields>;

/** Its message names the key. */
export class ManifestError extends Error {
  override readonly name = 'ManifestError';
}

export function parseManifest(text: string): Manifest {
  if (text.length > MAX_MANIFEST_BYTES)
    throw new ManifestError(`model.yaml: longer than ${MAX_MANIFEST_BYTES} characters`);
  const result = schema.safeParse(parseYaml(text));
  if (result.success) return result.data;
  const issue = result.error.issues[0]!;
  const unknown = issue.code === 'unrecognized_keys' ? issue.keys[0] : undefined;
  const key = [...issue.path, ...(unknown === undefined ? [] : [unknown])].map(String).join('.');
  const problem = unknown === undefined ? issue.message : 'is not a setting';
  throw new ManifestError(key === '' ? `model.yaml: ${problem}` : `model.yaml: key "${key}": ${problem}`);
}

/** "key value" of each setting with a default that `text`, a valid manifest, does not set. */
export function defaultsOf(text: string): readonly string[] {
  const given: unknown = parseYaml(text);
  return differences(schema.parse(given), given, '');
}

function differences(value: unknown, given: unknown, path: string): string[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return given === undefined ? [`${path} ${String(value)}`] : [];
  }
  const known = (given ?? {}) as Readonly<Record<string, unknown>>;
  return Object.entries(value).flatMap(([key, inner]) =>
    differences(inner, known[key], path === '' ? key : `${path}.${key}`),
  );
}

function parseYaml(text: string): unknown {
  try {
    return parse(text) ?? {}; // an empty file means all defaults
  } catch (error) {
    // Only the first line: the rest shows an excerpt of the file.
    const firstLine = error instanceof Error ? error.message.split('\n')[0]!.replace(/:$/, '') : 'cannot be parsed';
    throw new ManifestError(`model.yaml: ${firstLine}`);
  }
}
