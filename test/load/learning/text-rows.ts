// The shipped text model's answers to glosses outside its training data, for the whole text and for its halves.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseManifest } from '../../../services/config/manifest.ts';
import { compileNetwork } from '../../../services/engines/local/compile.ts';
import { Interrupt } from '../../../services/engines/local/interrupt.ts';
import { Simulator } from '../../../services/engines/local/simulator.ts';
import { ModelRepository } from '../../../services/models/repository.ts';
import { type Gloss, readGlosses } from '../../support/glosses.ts';
import type { Row } from './data-sets.ts';

export interface TextRow extends Row {
  /** Of the model on each half of the words. */
  readonly scores: readonly Float32Array[];
}

export interface TextRows {
  readonly name: string;
  readonly labels: number;
  readonly stream: readonly TextRow[];
  readonly held: readonly TextRow[];
  /** Indexes of `scores`. */
  readonly teachers: readonly number[];
}

const MODELS = join(import.meta.dirname, '../../../deploy/models');
const MODEL = 'supersense-text';

export function readTexts(): TextRows {
  const version = ModelRepository.read(MODELS, MODEL).find(MODEL, 1)[0]!;
  const { tokenizer, readout } = version;
  const folder = join(MODELS, MODEL);
  const manifest = parseManifest(readFileSync(join(folder, 'model.yaml'), 'utf8'));
  const network = compileNetwork(readFileSync(join(folder, '1/model.nir')), manifest);
  const simulator = new Simulator(network);
  const counts = (text: string): Float32Array => {
    const input = new Float32Array(new Uint8Array(tokenizer!.bag(text)).buffer);
    return Float32Array.from(simulator.run(input, network.steps, Interrupt.never()).spikeCounts);
  };
  const toRow = ({ text, label }: Gloss): TextRow => ({
    label: readout.labels.indexOf(label),
    features: counts(text).map((spikes) => spikes / network.steps),
    scores: [0, 1].map((half) => softmax(counts(everySecond(text, half)), readout.temperature)),
  });
  const glosses = readGlosses();
  return {
    name: 'glosses',
    labels: readout.labels.length,
    stream: glosses.filter(({ isTest }) => !isTest).map(toRow),
    held: glosses.filter(({ isTest }) => isTest).map(toRow),
    teachers: [0, 1],
  };
}

/** A text of one word is both halves. */
function everySecond(text: string, half: number): string {
  const words = text.split(/\s+/);
  return words.filter((_, at) => at % 2 === half).join(' ') || text;
}

function softmax(counts: Float32Array, temperature: number): Float32Array {
  const most = Math.max(...counts);
  const parts = counts.map((count) => Math.exp((count - most) / temperature));
  const total = parts.reduce((sum, part) => sum + part, 0);
  return parts.map((part) => part / total);
}
