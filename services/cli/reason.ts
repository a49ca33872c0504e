import { Command, Option } from 'commander';
import { ModelServiceClient } from '../generated/tandem/v1/models.ts';
import { ReasonResponse, ReasoningServiceClient } from '../generated/tandem/v1/reasoning.ts';
import { Strategy, strategyFromJSON } from '../generated/tandem/v1/types.ts';
import { type GlobalOptions, call, print } from './client.ts';
import { UsageError } from './errors.ts';
import { type CliInput, readInput, readSample } from './input.ts';

const SHOWN_LABELS = 5;
const BAR_CELLS = 24;
const STRATEGIES = Object.keys(Strategy)
  .filter((name) => name.startsWith('STRATEGY_') && !name.endsWith('_UNSPECIFIED'))
  .map((name) => name.slice('STRATEGY_'.length));

interface Options {
  readonly sample?: string;
  readonly model: string;
  readonly modelVersion: number;
  readonly strategy?: string;
}

export function reasonCommand(): Command {
  return new Command('reason')
    .description('one input to one conclusion')
    .argument('[file]', 'numbers as JSON, as text, or raw little-endian floats (.f32); "-" is standard input')
    .option('-s, --sample <name>', 'a shipped sample of the model supersense, such as "dog"')
    .option('-m, --model <name>', 'the model (default: the server’s)', '')
    .option('--model-version <n>', 'its version (default: the latest)', Number, 0)
    .addOption(new Option('--strategy <name>', 'how the engine is chosen (default: the server’s)').choices(STRATEGIES))
    .addHelpText('after', '\nExample: echo "[0.1, 0.2, 0.3]" | npx tandem reason --model mine -')
    .action(async (file: string | undefined, options: Options, command: Command) => {
      const input = chooseInput(file, options.sample);
      const response = await call(command, ReasoningServiceClient, (client) => client.reason, {
        requestId: '',
        model: options.model,
        modelVersion: options.modelVersion,
        encoding: [],
        tensor: { shape: input.shape, dtype: 'FP32', data: input.data },
        strategy: strategyFromJSON(`STRATEGY_${options.strategy ?? 'UNSPECIFIED'}`),
      });
      const labels = command.optsWithGlobals<GlobalOptions>().json ? [] : await readLabels(command, response);
      print(command, ReasonResponse.toJSON(response), () => describe(response, labels, input.text));
    });
}

function chooseInput(file: string | undefined, sample: string | undefined): CliInput {
  if ((file === undefined) === (sample === undefined)) {
    throw new UsageError('give either a file ("-" is standard input) or --sample; example: tandem reason --sample dog');
  }
  return sample === undefined ? readInput(file ?? '-') : readSample(sample);
}

async function readLabels(command: Command, { model, modelVersion }: ReasonResponse): Promise<readonly string[]> {
  const response = await call(command, ModelServiceClient, (client) => client.getModel, { model, modelVersion });
  return response.model?.labels ?? [];
}

function describe(response: ReasonResponse, labels: readonly string[], text: string): string {
  const name = (index: number): string => labels[index] ?? `output ${index}`;
  const best = response.scores
    .map((score, index) => ({ score, index }))
    .sort((a, b) => b.score - a.score)
    .slice(0, SHOWN_LABELS);
  const lines = best.map(({ score, index }) => {
    const bar = '█'.repeat(Math.round(score * BAR_CELLS)).padEnd(BAR_CELLS);
    const spikes = response.spikeCounts[index] ?? 0;
    return `  ${name(index).padEnd(20)} ${(score * 100).toFixed(1).padStart(5)} %  ${bar}  ${spikes} spikes`;
  });
  const digest = response.stateDigest.toString(16).padStart(16, '0');
  const { timing } = response;
  return [
    ...(text ? [`“${text}”`, ''] : []),
    `${name(response.labelIndex)}, confidence ${(response.confidence * 100).toFixed(1)} %`,
    '',
    ...lines,
    '',
    `model ${response.model}/${response.modelVersion} · engine ${response.engine?.engineId ?? '?'} · ${response.steps} steps · ` +
      `${response.totalSpikes} spikes · ${response.synapticOperations} synaptic operations · digest ${digest}`,
    `${response.processingTimeMs.toFixed(2)} ms in the router, of which ` +
      `${((timing?.engineUs ?? 0) / 1_000).toFixed(2)} ms at the engine and ${((timing?.computeUs ?? 0) / 1_000).toFixed(2)} ms simulating`,
  ].join('\n');
}
