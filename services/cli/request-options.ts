// Options of `reason`, `batch` and `stream` besides the input.
import { type Command, Option } from 'commander';
import { type ReasonRequest, Session } from '../generated/tandem/v1/reasoning.ts';
import {
  CacheMode,
  cacheModeFromJSON,
  Detail,
  detailFromJSON,
  Strategy,
  strategyFromJSON,
} from '../generated/tandem/v1/types.ts';
import { oneOf, wholeNumber } from './arguments.ts';
import { valuesOf } from './words.ts';

const UINT32_MAX = 4_294_967_295;

export const STRATEGIES = valuesOf(Strategy, 'STRATEGY_');
export const CACHE_MODES = valuesOf(CacheMode, 'CACHE_MODE_').map((name) => name.toLowerCase());
export const DETAILS = valuesOf(Detail, 'DETAIL_').map((name) => name.toLowerCase());

export interface RequestOptions {
  readonly model?: string;
  readonly modelVersion?: number;
  readonly strategy?: string;
  readonly cache?: string;
  readonly detail?: string;
  readonly session?: string;
}

export function addRequestOptions(command: Command, { withStrategy } = { withStrategy: true }): Command {
  if (withStrategy) addStrategy(command);
  command
    .option('-m, --model <name>', 'the model (default: the server’s)')
    .option('--model-version <n>', 'its version (default: the latest)', wholeNumber(1, UINT32_MAX))
    .option('--session <id>', 'continue from the state of this session, or open it');
  return addCacheMode(command).addOption(
    oneOf(new Option('--detail <much>', 'how much detail to return (default: summary)'), DETAILS),
  );
}

export function addStrategy(command: Command): Command {
  const strategy = new Option('--strategy <name>', 'how the engine is chosen (default: the server’s)');
  return command.addOption(oneOf(strategy, STRATEGIES));
}

export function addCacheMode(command: Command): Command {
  return command.addOption(
    oneOf(new Option('--cache <mode>', 'what to do with the result cache (default: use)'), CACHE_MODES),
  );
}

/** A request without its input. */
export function emptyRequest(options: RequestOptions): ReasonRequest {
  return {
    requestId: '',
    model: options.model ?? '',
    modelVersion: options.modelVersion ?? 0,
    encoding: [],
    tensor: undefined,
    events: undefined,
    strategy: strategyFromJSON(`STRATEGY_${options.strategy ?? 'UNSPECIFIED'}`),
    cache: cacheModeFromJSON(`CACHE_MODE_${options.cache?.toUpperCase() ?? 'UNSPECIFIED'}`),
    vote: undefined,
    text: '',
    detail: detailFromJSON(`DETAIL_${options.detail?.toUpperCase() ?? 'UNSPECIFIED'}`),
    session: options.session === undefined ? undefined : Session.fromPartial({ id: options.session }),
  };
}
