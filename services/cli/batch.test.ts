import { afterEach, describe, expect, it } from '@jest/globals';
import { type FakeRouter, resultFor, startFakeRouter } from '../../test/fakes/fake-router.ts';
import { type Finished, run } from '../../test/support/process.ts';
import { type ReasonBatchRequest, ReasonError } from '../generated/tandem/v1/reasoning.ts';
import { chunksOf } from './batch.ts';
import { readItem } from './items.ts';
import { emptyRequest } from './request-options.ts';

let router: FakeRouter | undefined;

afterEach(() => {
  router?.stop();
});

const item = (text: string, number = 1) => readItem({ number, text }, emptyRequest({}));

async function sizes(texts: string[], size: number, bytes: number): Promise<number[]> {
  const found: number[] = [];
  for await (const chunk of chunksOf(
    texts.map((text) => item(text)),
    size,
    bytes,
  ))
    found.push(chunk.length);
  return found;
}

describe('chunksOf', () => {
  it('limits the number of inputs in a call', async () => {
    expect(await sizes(Array<string>(5).fill('[1]'), 2, 1_000)).toEqual([2, 2, 1]);
    expect(await sizes([], 2, 1_000)).toEqual([]);
  });

  it('limits the bytes of a call; a larger input is sent alone', async () => {
    const large = JSON.stringify(Array<number>(100).fill(1)); // about 400 bytes
    expect(await sizes(Array<string>(5).fill(large), 10, 1_000)).toEqual([2, 2, 1]);
    expect(await sizes(['[1]', large, '[1]'], 10, 100)).toEqual([1, 1, 1]);
  });
});

describe('tandem batch', () => {
  const calls: ReasonBatchRequest[] = [];

  async function batch(stdin: string, ...args: string[]): Promise<Finished> {
    calls.length = 0;
    router = await startFakeRouter({
      reasonBatch: (request) => {
        calls.push(request);
        return {
          processingTimeMs: 1,
          results: request.requests.map((each) =>
            each.model === 'broken'
              ? {
                  outcome: {
                    $case: 'error',
                    value: ReasonError.fromPartial({
                      code: 5,
                      reason: 'UNKNOWN_MODEL',
                      message: 'there is none',
                      field: 'model',
                    }),
                  },
                }
              : { outcome: resultFor(each) },
          ),
        };
      },
    });
    return await run('services/cli/main.ts', ['batch', '-', '--address', router.address, ...args], { stdin }).finished;
  }

  it('answers lines in order and exits with 0 if all were answered', async () => {
    const finished = await batch('[1]\n{"id": "mine", "encoding": [2]}\n3\n', '--chunk', '2');
    expect(finished.stdout.split('\n').map((line) => line.split(/ +/)[0])).toEqual(['ID', '1', 'mine', '3', '']);
    expect(finished.stderr).toMatch(/^answered 3, failed 0, in [\d.]+ s \([\d,]+ per second\)\n$/);
    expect(finished.code).toBe(0);
    expect(calls.map(({ requests }) => requests.length)).toEqual([2, 1]);
  });

  it('shows a failed line in its order and exits with 1', async () => {
    const finished = await batch('[1]\n{"id": "x", "model": "broken", "encoding": [2]}\noops\n[4]\n');
    expect(finished.stdout).toMatch(
      /\n1 .*\nx +UNKNOWN_MODEL: there is none \(field model\)\n3 +LINE_UNREADABLE: line 3: .*"oops".*\n4 /,
    );
    expect(finished.stderr).toMatch(/answered 2, failed 2/);
    expect(finished.code).toBe(1);
  });

  it('prints one JSON line per input with --json', async () => {
    const { stdout } = await batch('[1]\noops\n', '--json');
    expect(
      stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as unknown),
    ).toEqual([
      { requestId: '1', result: expect.objectContaining({ label: 'something' }) },
      { requestId: '2', error: expect.objectContaining({ reason: 'LINE_UNREADABLE' }) },
    ]);
  });

  it('passes the options on in each request', async () => {
    await batch('[1]\n', '--model', 'mine', '--model-version', '2', '--strategy', 'FASTEST', '--cache', 'refresh');
    expect(calls[0]?.requests[0]).toMatchObject({ model: 'mine', modelVersion: 2, strategy: 4, cache: 3 });
  });

  it('reports a router that returns too few answers', async () => {
    router = await startFakeRouter({ reasonBatch: () => ({ results: [], processingTimeMs: 0 }) });
    const finished = await run('services/cli/main.ts', ['batch', '-', '--address', router.address], { stdin: '[1]' })
      .finished;
    expect([finished.code, finished.stderr]).toEqual([1, expect.stringMatching(/answered 0 of 1 requests/)]);
  });
});
