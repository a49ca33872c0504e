import { Command, InvalidArgumentError } from 'commander';
import { EngineAdminServiceClient, ReplayInputResponse } from '../generated/tandem/v1/engines.ts';
import { wholeNumber } from './arguments.ts';
import { callAdmin, print } from './client.ts';
import { UsageError } from './usage-error.ts';
import { inputOf, stateOf } from './replay-input.ts';
import { type DisputeRecord, readDisputes } from './replay-records.ts';
import { describeReplay } from './replay-text.ts';

const MAX_RECORDS = 1_000_000_000;

interface Options {
  readonly record: number | 'last';
  readonly input?: string;
  readonly state?: string;
}

export function replayCommand(): Command {
  return new Command('replay')
    .argument('<file>', 'the router’s records (setting disputes.file); "-" is standard input')
    .option('-r, --record <n>', 'which record, from 1, or "last"', recordNumber, 'last')
    .option('-i, --input <file>', 'its input, in any form that "tandem reason" reads, if the record has only a hash')
    .option('--state <file>', 'its session state (reason --save-state), if the record has only a hash')
    .addHelpText(
      'after',
      `
This is for the router's own user, on its machine, or for a caller with role operate. Engines are given a
quarter of --timeout-ms each time they are asked; raise it for long runs.

Examples: npx tandem replay disputes.jsonl
          npx tandem replay disputes.jsonl --record 3 --timeout-ms 60000
          npx tandem replay disputes.jsonl --input what-was-asked.json`,
    )
    .action(async (file: string, { record: wanted, input, state }: Options, command: Command) => {
      if (file === '-' && input === '-') throw new UsageError('standard input is one file; name the other one');
      const { record, number } = await findRecord(file, wanted);
      const request = {
        model: record.model,
        modelVersion: record.model_version,
        tensor: inputOf(record, number, input),
        state: stateOf(record, number, state),
      };
      const response = await callAdmin(command, EngineAdminServiceClient, (client) => client.replayInput, request);
      const answer = ReplayInputResponse.toJSON(response) as object;
      const json = { record: number, recordedDifferences: record.differences, ...answer };
      print(command, json, () => describeReplay(record, number, response, request.state));
    });
}

function recordNumber(text: string): number | 'last' {
  if (text === 'last') return text;
  try {
    return wholeNumber(1, MAX_RECORDS)(text);
  } catch {
    throw new InvalidArgumentError('It must be a whole number from 1, or "last".');
  }
}

async function findRecord(file: string, wanted: number | 'last'): Promise<{ record: DisputeRecord; number: number }> {
  let last: DisputeRecord | undefined;
  let number = 0;
  for await (const record of readDisputes(file)) {
    last = record;
    number += 1;
    if (number === wanted) return { record, number };
  }
  if (last === undefined) throw new UsageError(`"${file}" holds no record of a dispute`);
  if (wanted !== 'last') throw new UsageError(`"${file}" holds no record ${wanted}; it has ${number}`);
  return { record: last, number };
}
