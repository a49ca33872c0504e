import * as grpc from '@grpc/grpc-js';
import { Command } from 'commander';
import { ReasoningServiceClient } from '../generated/tandem/v1/reasoning.ts';
import { Answers } from './answers.ts';
import { connect, type GlobalOptions } from './client.ts';
import { interruptible } from './interrupt.ts';
import { LINE_FORMS, readItems } from './items.ts';
import { LineSource } from './lines.ts';
import { Progress } from './progress.ts';
import { addRequestOptions, emptyRequest, type RequestOptions } from './request-options.ts';
import { exchange } from './exchange.ts';

export function streamCommand(): Command {
  const command = new Command('stream').argument(
    '[file]',
    'one input per line; without it, or with "-", standard input',
  );
  return addRequestOptions(command)
    .addHelpText(
      'after',
      `${LINE_FORMS}

Answers carry the id of their input, for they may come in another order. With --json each is one line of JSON:
{"requestId": …, "result": …} or {"requestId": …, "error": …}. Input is read no faster than the router answers, and
the router answers no faster than the output is read. Ctrl-C reads no more and waits for what was sent.
It exits with 0 if every input was answered, and with 1 if any failed; --timeout-ms is the longest wait for an answer.

Examples: tail -f inputs.jsonl | npx tandem stream --json
          npx tandem stream --session robot-7 steps.jsonl`,
    )
    .action(async (file: string | undefined, options: RequestOptions, command: Command) => {
      if (file === undefined && process.stdin.isTTY)
        process.stderr.write('One input per line; Ctrl-D ends the input.\n');
      const lines = new LineSource(file ?? '-');
      const share = (): number | undefined => lines.totalBytes && lines.bytesTaken / lines.totalBytes;
      const answers = new Answers(command, new Progress({ share }));
      const connection = connect(command, ReasoningServiceClient);
      const call = connection.reasonStream(new grpc.Metadata());
      const { timeoutMs } = command.optsWithGlobals<GlobalOptions>();
      const work = async (): Promise<void> => {
        try {
          await exchange(call, readItems(lines, emptyRequest(options)), (answer) => answers.add(answer), timeoutMs);
          answers.finish();
        } catch (error) {
          if (answers.answered + answers.failed > 0) answers.finish();
          throw error;
        } finally {
          lines.stop();
          connection.close();
        }
      };
      await interruptible(() => lines.stop(), work);
    });
}
