import { Command } from 'commander';
import {
  ReasonBatchResponse,
  ReasoningServiceClient,
  ReasonRequest,
  type ReasonStreamResponse,
} from '../generated/tandem/v1/reasoning.ts';
import { Answers } from './answers.ts';
import { wholeNumber } from './arguments.ts';
import { callOver, connect, type GlobalOptions } from './client.ts';
import { UsageError } from './usage-error.ts';
import { readSample, withInput } from './input.ts';
import { interruptible } from './interrupt.ts';
import { type Item, LINE_FORMS, readItems } from './items.ts';
import { LineSource } from './lines.ts';
import { Progress } from './progress.ts';
import { addRequestOptions, emptyRequest, type RequestOptions } from './request-options.ts';

const MAX_CHUNK = 100_000;
/** Maximum size of one call. The router accepts 16 MiB by default (setting `max_message_bytes`). */
const MAX_CALL_BYTES = 12_000_000;

type Items = AsyncIterable<Item> | Iterable<Item>;

interface Options extends RequestOptions {
  readonly sample?: readonly string[];
  readonly chunk: number;
}

export function batchCommand(): Command {
  const command = new Command('batch')
    .argument('[file]', 'one input per line; "-" is standard input')
    .option('-s, --sample <name>', 'a shipped sample instead of a file; may be repeated', collect)
    .option('--chunk <n>', 'inputs in one call, at most', wholeNumber(1, MAX_CHUNK), 256);
  return addRequestOptions(command)
    .addHelpText(
      'after',
      `${LINE_FORMS}

With --json each answer is one line of JSON: {"requestId": …, "result": …} or {"requestId": …, "error": …}.
It exits with 0 if every input was answered, and with 1 if any failed; --timeout-ms is for each call.

Example: npx tandem batch inputs.jsonl --json > answers.jsonl
         npx tandem batch --sample dog --sample piano`,
    )
    .action(async (file: string | undefined, options: Options, command: Command) => {
      if ((file === undefined) === (options.sample === undefined)) {
        throw new UsageError(
          'give either a file ("-" is standard input) or --sample; example: tandem batch inputs.jsonl',
        );
      }
      const base = emptyRequest(options);
      if (file === undefined) {
        await run(command, samples(options.sample ?? [], base), options.chunk, () => undefined);
        return;
      }
      const lines = new LineSource(file);
      const share = (): number | undefined => lines.totalBytes && lines.bytesTaken / lines.totalBytes;
      await interruptible(
        () => lines.stop(),
        () => run(command, readItems(lines, base), options.chunk, share),
      );
    });
}

function collect(name: string, before: readonly string[] = []): string[] {
  return [...before, name];
}

function samples(names: readonly string[], base: ReasonRequest): Item[] {
  return names.map((name) => ({ request: withInput({ ...base, requestId: name }, readSample(name)) }));
}

async function run(command: Command, items: Items, size: number, share: () => number | undefined): Promise<void> {
  const answers = new Answers(command, new Progress({ share }));
  const { timeoutMs } = command.optsWithGlobals<GlobalOptions>();
  const connection = connect(command, ReasoningServiceClient);
  try {
    for await (const chunk of chunksOf(items, size, MAX_CALL_BYTES)) {
      for (const answer of await ask(connection, chunk, timeoutMs)) await answers.add(answer);
    }
    answers.finish();
  } catch (error) {
    if (answers.answered + answers.failed > 0) answers.finish();
    throw error;
  } finally {
    connection.close();
  }
}

/**
 * Groups of at most `size` inputs and at most `bytes`. An input that is too large goes alone, so that the router
 * refuses it.
 */
export async function* chunksOf(items: Items, size: number, bytes: number): AsyncGenerator<Item[]> {
  let chunk: Item[] = [];
  let used = 0;
  for await (const item of items) {
    const needed = 'request' in item ? ReasonRequest.encode(item.request).finish().length : 0;
    if (chunk.length > 0 && (chunk.length === size || used + needed > bytes)) {
      yield chunk;
      [chunk, used] = [[], 0];
    }
    chunk.push(item);
    used += needed;
  }
  if (chunk.length > 0) yield chunk;
}

/** Makes one call, and puts the errors of inputs that were not sent between its answers. */
async function ask(
  connection: ReasoningServiceClient,
  chunk: readonly Item[],
  timeoutMs: number,
): Promise<ReasonStreamResponse[]> {
  const requests = chunk.flatMap((item) => ('request' in item ? [item.request] : []));
  const { results } =
    requests.length === 0
      ? ReasonBatchResponse.fromPartial({})
      : await callOver(connection, (client) => client.reasonBatch, { requests }, timeoutMs);
  if (results.length !== requests.length) {
    throw new Error(
      `the router answered ${results.length} of ${requests.length} requests of a batch; is it the same version?`,
    );
  }
  let next = 0;
  return chunk.map((item) => {
    if ('answer' in item) return item.answer;
    const outcome = results[next]?.outcome;
    next += 1;
    const processingTimeMs = outcome?.$case === 'result' ? outcome.value.processingTimeMs : 0;
    return { requestId: item.request.requestId, outcome, processingTimeMs };
  });
}
