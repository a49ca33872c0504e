// A short load on one engine for its concurrent code: several streams, batches, single calls, bad inputs, cancellation,
// and a stop with open requests. For sanitizers, so it measures no speed. Exits with 1 if an item is answered twice or
// never, or if nothing was computed.
//
// Usage: node scripts/lib/engine-load.ts ADDRESS SECONDS      Example: … unix:/tmp/engine.sock 10
import { setTimeout as sleep } from 'node:timers/promises';
import { credentials } from '@grpc/grpc-js';
import {
  type DescribeResponse,
  EngineServiceClient,
  InferItem,
  type ModelDescription,
} from '../../services/generated/tandem/engine/v1/engine.ts';

const STREAMS = 4;
const BATCH = 16;
const MAX_IN_FLIGHT = 128;
const SERIES_STEPS = 8;
/** Ids that are multiples of this are cancelled, or are sent with a wrong length. */
const CANCEL_EVERY = 23n;
const SPOIL_EVERY = 29n;

const [address = '', secondsText = ''] = process.argv.slice(2);
const seconds = Number(secondsText);
if (address === '' || !(seconds > 0)) {
  console.error('Usage: node scripts/lib/engine-load.ts ADDRESS SECONDS');
  process.exit(2);
}

const client = new EngineServiceClient(address, credentials.createInsecure(), {
  'grpc.max_receive_message_length': -1,
});
const outcomes = new Map<string, number>();
const problems = new Set<string>();

function count(outcome: string): void {
  outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
}

function describe(): Promise<DescribeResponse> {
  return new Promise((resolve, reject) => {
    client.describe({}, (error, response) => {
      if (error) reject(error);
      else resolve(response);
    });
  });
}

/** The engine does not say whether a model takes a constant or a series. Both kinds are sent, and one is refused. */
function item(id: bigint, model: ModelDescription): InferItem {
  const series = (id / BigInt(BATCH)) % 2n === 1n;
  const elements = model.inputSize * (series ? SERIES_STEPS : 1) + (id % SPOIL_EVERY === 0n ? 1 : 0);
  const data = Float32Array.from({ length: elements }, () => (Math.random() < 0.5 ? 0 : Math.random()));
  return InferItem.fromPartial({
    id,
    model: model.name,
    modelVersion: model.version,
    shape: series ? [SERIES_STEPS, model.inputSize] : [model.inputSize],
    data: Buffer.from(data.buffer),
  });
}

async function loadStream(models: readonly ModelDescription[], untilMs: number): Promise<void> {
  const stream = client.inferStream();
  const unanswered = new Set<bigint>();
  const ended = new Promise<void>((resolve) => {
    stream.on('data', ({ results }: { results: { id: bigint; outcome?: { $case: string; value: unknown } }[] }) => {
      for (const { id, outcome } of results) {
        if (!unanswered.delete(id)) problems.add('an id was answered twice, or was never sent');
        count(outcome?.$case === 'error' ? (outcome.value as { reason: string }).reason : 'inference');
      }
    });
    stream.on('end', resolve);
    stream.on('error', (error) => {
      problems.add(`stream: ${error.message}`);
      resolve();
    });
  });
  for (let next = 1n; performance.now() < untilMs && !stream.destroyed;) {
    if (unanswered.size + BATCH > MAX_IN_FLIGHT) {
      await sleep(1);
      continue;
    }
    const model = models[Number(next / BigInt(BATCH)) % models.length]!;
    const items = Array.from({ length: BATCH }, () => item(next++, model));
    for (const { id } of items) unanswered.add(id);
    stream.write({
      items,
      cancelIds: items.map(({ id }) => id).filter((id) => id % CANCEL_EVERY === 0n),
      checksum: 0n,
    });
  }
  stream.end();
  await ended;
  if (unanswered.size > 0) problems.add('items were never answered');
}

async function loadCalls(models: readonly ModelDescription[], untilMs: number): Promise<void> {
  for (let next = 0n; performance.now() < untilMs; next++) {
    await new Promise<void>((resolve) => {
      const call = client.infer({ item: item(next, models[Number(next) % models.length]!) }, (error) => {
        count(error ? `call: status ${error.code}` : 'call: inference');
        resolve();
      });
      if (next % CANCEL_EVERY === 0n) call.cancel();
    });
  }
}

const { build, models } = await describe();
const usable = models.filter((model) => model.error === '');
if (usable.length === 0) throw new Error('the engine holds no usable model');
console.log(`${build}: ${usable.map((model) => `${model.name}/${model.version}`).join(' ')}, ${seconds} s`);

const untilMs = performance.now() + seconds * 1000;
await Promise.all([...Array.from({ length: STREAMS }, () => loadStream(usable, untilMs)), loadCalls(usable, untilMs)]);
// A stream that is never closed: the engine must stop with it open.
const abandoned = client.inferStream();
abandoned.on('error', () => undefined);
abandoned.on('data', () => undefined);
abandoned.write({
  items: Array.from({ length: BATCH }, (_, id) => item(BigInt(id), usable[0]!)),
  cancelIds: [],
  checksum: 0n,
});
await sleep(50);

if ((outcomes.get('inference') ?? 0) === 0) problems.add('nothing was computed');
console.log([...outcomes].map(([outcome, times]) => `${times} ${outcome}`).join(', '));
for (const problem of problems) console.error(`PROBLEM: ${problem}`);
process.exit(problems.size > 0 ? 1 : 0);
