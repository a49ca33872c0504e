import { Command } from 'commander';
import {
  EndSessionResponse,
  ListSessionsResponse,
  type OpenSession,
  SessionServiceClient,
} from '../generated/tandem/v1/sessions.ts';
import { wholeNumber } from './arguments.ts';
import { call, callAdmin, print } from './client.ts';
import { bytes, duration } from './metrics-format.ts';
import { table } from './table.ts';

const MAX_PAGE = 1_000;

interface ListOptions {
  readonly limit?: number;
  readonly page?: string;
}

export function sessionsCommand(): Command {
  return new Command('sessions')
    .addHelpText(
      'after',
      `
A session is a run in several messages: see "npx tandem reason --session ID".

Examples: npx tandem sessions
          npx tandem sessions end robot-7`,
    )
    .addCommand(listCommand(), { isDefault: true })
    .addCommand(endCommand());
}

function listCommand(): Command {
  return new Command('list')
    .description('list open sessions, newest first')
    .option('--limit <n>', 'at most this many (default: 100)', wholeNumber(1, MAX_PAGE))
    .option('--page <token>', 'the page token from an earlier answer')
    .addHelpText('after', '\nExample: npx tandem sessions list --limit 20')
    .action(async ({ limit = 0, page = '' }: ListOptions, command: Command) => {
      const request = { pageSize: limit, pageToken: page };
      const response = await call(command, SessionServiceClient, (client) => client.listSessions, request);
      print(command, ListSessionsResponse.toJSON(response), () => describeList(response));
    });
}

function endCommand(): Command {
  return new Command('end')
    .description('end a session; its next message is refused, or opens a new one')
    .argument('<id>', 'its id, as "tandem sessions" shows it')
    .option('--caller <name>', 'the caller that opened it (default: a caller without a name)')
    .addHelpText('after', '\nExample: npx tandem sessions end robot-7')
    .action(async (id: string, { caller = '' }: { readonly caller?: string }, command: Command) => {
      const response = await callAdmin(command, SessionServiceClient, (client) => client.endSession, { id, caller });
      print(command, EndSessionResponse.toJSON(response), () => {
        const { step = 0, model = '', modelVersion = 0 } = response.session ?? {};
        return `ended session ${id} of ${model}/${modelVersion}, at step ${step}`;
      });
    });
}

function describeList({ sessions, open, bytes: held, nextPageToken }: ListSessionsResponse): string {
  if (sessions.length === 0) return 'no session is open';
  const hasCallers = sessions.some(({ caller }) => caller !== '');
  const head = [
    'SESSION',
    ...(hasCallers ? ['CALLER'] : []),
    'MODEL',
    'STEP',
    'MESSAGES',
    'BYTES',
    'ENGINE',
    'AGE',
    'IDLE',
  ];
  const rows = sessions.map((session) => row(session, hasCallers));
  const more = nextPageToken === '' ? [] : [`next page: --page ${nextPageToken}`];
  return [table(head, rows), '', `${open} open, ${bytes(Number(held))}`, ...more].join('\n');
}

function row(session: OpenSession, hasCallers: boolean): (string | number)[] {
  const { id, caller, model, modelVersion, step, messages, engineId, ageS, idleS } = session;
  return [
    id,
    ...(hasCallers ? [caller || '-'] : []),
    `${model}/${modelVersion}`,
    step,
    Number(messages),
    Number(session.bytes),
    engineId || '-',
    duration(ageS),
    duration(idleS),
  ];
}
