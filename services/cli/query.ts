import { Command } from 'commander';
import { AgentServiceClient, QueryResponse } from '../generated/tandem/v1/agents.ts';
import { oneLine, originText } from './agents-text.ts';
import { wholeNumber } from './arguments.ts';
import { call, print } from './client.ts';

interface Options {
  readonly corpus?: string;
  readonly topK?: number;
  readonly label?: string;
}

const MAX_TOP_K = 100;
const SHOWN_CHARS = 200;

export function queryCommand(): Command {
  return new Command('query')
    .argument('<question...>', 'in words')
    .option('-c, --corpus <name>', 'the corpus (default: the only one); see "tandem corpus"')
    .option('-k, --top-k <n>', 'passages to show (default: 5)', wholeNumber(1, MAX_TOP_K))
    .option('-l, --label <label>', 'only passages that the text model gave this label')
    .addHelpText(
      'after',
      `
Each passage is shown with its label. A label that no passage has is refused, and the labels are listed.

Examples: npx tandem query "How are engines chosen?" --corpus notes
          npx tandem query "Who lives in trees?" --label noun.animal`,
    )
    .action(async (words: string[], { corpus = '', topK = 0, label = '' }: Options, command: Command) => {
      const request = { query: words.join(' '), corpus, topK, label };
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
    ...passages.map(({ document, text, score, label }, index) => {
      const about = [`score ${score.toFixed(4)}`, ...(label === '' ? [] : [oneLine(label)])].join(', ');
      return `${index + 1}. ${oneLine(document)} (${about}): ${shortened(text)}`;
    }),
    '',
    originText(response),
  ].join('\n');
}

function shortened(text: string): string {
  const line = oneLine(text);
  return line.length <= SHOWN_CHARS ? line : `${line.slice(0, SHOWN_CHARS).trimEnd()}…`;
}
