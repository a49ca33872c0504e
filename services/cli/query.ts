import { Command } from 'commander';
import { AgentServiceClient, QueryResponse } from '../generated/tandem/v1/agents.ts';
import { oneLine, originText } from './agents-text.ts';
import { wholeNumber } from './arguments.ts';
import { call, print } from './client.ts';

interface Options {
  readonly corpus?: string;
  readonly topK?: number;
}

const MAX_TOP_K = 100;
const SHOWN_CHARS = 200;

export function queryCommand(): Command {
  return new Command('query')
    .argument('<question...>', 'in words')
    .option('-c, --corpus <name>', 'which documents (default: the only corpus there is); see "tandem corpus"')
    .option('-k, --top-k <n>', 'passages to show (default: 5)', wholeNumber(1, MAX_TOP_K))
    .addHelpText('after', '\nExample: npx tandem query "How are engines chosen?" --corpus notes')
    .action(async (words: string[], { corpus = '', topK = 0 }: Options, command: Command) => {
      const request = { query: words.join(' '), corpus, topK };
      const response = await call(command, AgentServiceClient, (client) => client.query, request);
      print(command, QueryResponse.toJSON(response), () => queryText(response));
    });
}

export function queryText(response: QueryResponse): string {
  const { answer, citations, passages } = response;
  return [
    answer === '' ? 'no passage answers this' : oneLine(answer),
    ...citations.map(
      ({ passage, document, quote }) => `  [${passage + 1}] ${oneLine(document)}: “${shortened(quote)}”`,
    ),
    '',
    ...passages.map(({ document, text, score }, index) => {
      return `${index + 1}. ${oneLine(document)} (score ${score.toFixed(4)}): ${shortened(text)}`;
    }),
    '',
    originText(response),
  ].join('\n');
}

function shortened(text: string): string {
  const line = oneLine(text);
  return line.length <= SHOWN_CHARS ? line : `${line.slice(0, SHOWN_CHARS).trimEnd()}…`;
}
