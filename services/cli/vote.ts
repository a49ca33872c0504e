import { Command, Option } from 'commander';
import { VotePolicy } from '../generated/tandem/v1/reasoning.ts';
import {
  VoteAgreement,
  VoteCompare,
  VoteFallback,
  VoteMode,
  voteAgreementFromJSON,
  voteCompareFromJSON,
  voteFallbackFromJSON,
  voteModeFromJSON,
} from '../generated/tandem/v1/types.ts';
import { oneOf, wholeNumber } from './arguments.ts';
import { addInput, ask } from './reason.ts';
import { type RequestOptions, addRequestOptions, emptyRequest } from './request-options.ts';
import { chooseInput, type InputOptions } from './text.ts';
import { valuesOf } from './words.ts';

interface Options extends InputOptions, RequestOptions {
  readonly participants?: number;
  readonly agreement?: string;
  readonly agreementCount?: number;
  readonly mode?: string;
  readonly compare?: string;
  readonly tolerance?: number;
  readonly distinctKinds?: number;
  readonly onDispute?: string;
  readonly onFew?: string;
}

export function voteCommand(): Command {
  const command = new Command('vote');
  return addRequestOptions(addInput(command), { withStrategy: false })
    .option('--participants <n>', 'engines asked', wholeNumber(2, 15))
    .addOption(choice('--agreement <how>', 'how many of them must agree', VoteAgreement, 'VOTE_AGREEMENT_'))
    .option('--agreement-count <n>', 'with --agreement COUNT: this many', wholeNumber(1, 15))
    .addOption(choice('--mode <mode>', 'ask all at once, or as few as possible', VoteMode, 'VOTE_MODE_'))
    .addOption(choice('--compare <how>', 'when two answers are the same', VoteCompare, 'VOTE_COMPARE_'))
    .option('--tolerance <x>', 'with --compare TOLERANCE: largest difference of any score', Number)
    .option('--distinct-kinds <n>', 'kinds of engine among those that agree', wholeNumber(1, 2))
    .addOption(choice('--on-dispute <what>', 'what to do if not enough agree', VoteFallback, 'VOTE_FALLBACK_'))
    .addOption(choice('--on-few <what>', 'what to do if too few could vote', VoteFallback, 'VOTE_FALLBACK_'))
    .addHelpText(
      'after',
      `
What is left out is as the server and the model say; a request may tighten that, never loosen it.

Examples: npx tandem vote --sample dog
          npx tandem vote --sample dog --mode STAGED --distinct-kinds 2`,
    )
    .action(async (argument: string | undefined, options: Options, command: Command) => {
      await ask(command, chooseInput(argument, options), { ...emptyRequest(options), vote: toPolicy(options) });
    });
}

function choice(flags: string, description: string, values: object, prefix: string): Option {
  return oneOf(new Option(flags, description), valuesOf(values, prefix));
}

function toPolicy(options: Options): VotePolicy {
  const { participants, agreementCount, tolerance, distinctKinds } = options;
  const word = (prefix: string, name: string | undefined): string => `${prefix}${name ?? 'UNSPECIFIED'}`;
  return VotePolicy.fromPartial({
    ...(participants === undefined ? {} : { participants }),
    ...(agreementCount === undefined ? {} : { agreementCount }),
    ...(tolerance === undefined ? {} : { tolerance }),
    ...(distinctKinds === undefined ? {} : { distinctKinds }),
    agreement: voteAgreementFromJSON(word('VOTE_AGREEMENT_', options.agreement)),
    mode: voteModeFromJSON(word('VOTE_MODE_', options.mode)),
    compare: voteCompareFromJSON(word('VOTE_COMPARE_', options.compare)),
    onDispute: voteFallbackFromJSON(word('VOTE_FALLBACK_', options.onDispute)),
    onFew: voteFallbackFromJSON(word('VOTE_FALLBACK_', options.onFew)),
  });
}
