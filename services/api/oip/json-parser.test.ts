import { beforeEach, describe, expect, it } from '@jest/globals';
import { Cancel } from '../../core/cancel.ts';
import { RouterError } from '../../core/errors.ts';
import { JsonParser, type UnparsedInfer } from './json-parser.ts';

const FREE = { deadlineMs: Infinity, signal: new Cancel() };
/** So long that a thread parses it. */
const LENGTH = 20_000;

let parser: JsonParser;

beforeEach(() => {
  parser = new JsonParser();
});

function unparsed(data: readonly unknown[], datatype = 'FP32', over: object = {}): UnparsedInfer {
  const json = { inputs: [{ name: 'input', datatype, shape: [data.length], data }], ...over };
  return { body: Buffer.from(JSON.stringify(json)), headerBytes: NaN, name: 'm', version: '1' };
}

const numbers = (first = 0.5): number[] => [first, ...Array.from({ length: LENGTH - 1 }, (_, at) => at)];

describe('JsonParser', () => {
  it('returns a list of numbers of a short body, and the bytes of a long one', async () => {
    const short = await parser.parse(unparsed([0.5, 2]), undefined, FREE);
    expect(short.request.inputs[0]!.contents!.fp32Contents).toEqual([0.5, 2]);
    const { request } = await parser.parse(unparsed(numbers()), undefined, FREE);
    expect(request).toMatchObject({ modelName: 'm', modelVersion: '1', inputs: [{ shape: [BigInt(LENGTH)] }] });
    expect(new Float32Array(new Uint8Array(request.rawInputContents[0]!).buffer)).toEqual(Float32Array.from(numbers()));
  });

  it('returns the texts, parameters, outputs and bytes of a long body', async () => {
    const texts = Array.from({ length: LENGTH }, (_, at) => `text ${at}`);
    const over = {
      id: 'x',
      parameters: { strategy: 'FASTEST', binary_data_output: true },
      outputs: [{ name: 'label' }],
    };
    const { request, binaryOutputs } = await parser.parse(unparsed(texts, 'BYTES', over), undefined, FREE);
    expect(request.inputs[0]!.contents!.bytesContents.map(String)).toEqual(texts);
    expect(request).toMatchObject({ id: 'x', outputs: [{ name: 'label' }] });
    expect(request.parameters['strategy']).toEqual({ parameterChoice: { $case: 'stringParam', value: 'FASTEST' } });
    expect(binaryOutputs).toBe('ALL');
  });

  it('takes the bytes after a long JSON', async () => {
    const parameters = { binary_data_size: 2 };
    const json = { inputs: [{ name: 'input', datatype: 'UINT8', shape: [2], parameters }], id: 'x'.repeat(100_000) };
    const text = Buffer.from(JSON.stringify(json));
    const body = Buffer.concat([text, Buffer.of(1, 2)]);
    const { request } = await parser.parse({ body, headerBytes: text.length, name: 'm', version: '' }, undefined, FREE);
    expect(request.rawInputContents.map((each) => [...each])).toEqual([[1, 2]]);
  });

  it.each<[string, UnparsedInfer, string, RegExp]>([
    ['is not JSON', { ...unparsed([]), body: Buffer.from('['.repeat(LENGTH * 2)) }, 'body', /not JSON/],
    ['has a wrong element', unparsed([...numbers(), true]), `inputs[0].data[${LENGTH}]`, /no FP32/],
    [
      'has too many parameters',
      unparsed(numbers(), 'FP32', { parameters: Object.fromEntries(numbers().map((each) => [each, each])) }),
      'parameters',
      /64/,
    ],
  ])('refuses a long body that %s', async (_, body, field, message) => {
    const error = await parser.parse(body, undefined, FREE).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(RouterError);
    expect(error).toMatchObject({ message: expect.stringMatching(message) as unknown, violation: { field } });
  });

  it('parses one long body at a time, owners in turn', async () => {
    const [alice, bob] = [{}, {}];
    const ended: string[] = [];
    const parse = async (owner: object, name: string): Promise<void> => {
      await parser.parse(unparsed(numbers()), owner, FREE);
      ended.push(name);
    };
    await Promise.all([parse(alice, 'a1'), parse(alice, 'a2'), parse(alice, 'a3'), parse(bob, 'b1')]);
    expect(ended).toEqual(['a1', 'a2', 'b1', 'a3']);
  });

  it('does not parse a body whose caller has left, or whose time is over, while it waited', async () => {
    const signal = new Cancel();
    const first = parser.parse(unparsed(numbers()), undefined, FREE);
    const left = parser.parse(unparsed(numbers()), undefined, { deadlineMs: Infinity, signal });
    const late = parser.parse(unparsed(numbers()), undefined, { deadlineMs: performance.now(), signal: new Cancel() });
    signal.abort(new RouterError('CANCELLED', 'the caller left'));
    await expect(left).rejects.toMatchObject({ kind: 'CANCELLED' });
    await expect(late).rejects.toMatchObject({ kind: 'DEADLINE_EXCEEDED' });
    await first;
  });
});
