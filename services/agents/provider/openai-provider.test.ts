import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { providerAt } from '../../../test/fakes/agent-parts.ts';
import {
  type Behaviour,
  type FakeProvider,
  fails,
  malformed,
  says,
  sendJson,
  silent,
  startFakeProvider,
} from '../../../test/fakes/fake-provider.ts';
import { ProviderFailure, type ProviderReply, type ProviderRequest } from './provider.ts';

const REQUEST: ProviderRequest = {
  instructions: 'Answer.',
  data: '{"goal":"fly"}',
  schema: { name: 'goal_analysis', json: { type: 'object' } },
};

let fake: FakeProvider;

beforeAll(async () => {
  fake = await startFakeProvider(silent);
});

afterAll(() => fake.stop());

function complete(behaviour: Behaviour, signal = new AbortController().signal): Promise<ProviderReply> {
  fake.behave(behaviour);
  return providerAt(fake.baseUrl, { apiKey: 'secret-key' }).complete(REQUEST, signal);
}

async function failure(behaviour: Behaviour): Promise<ProviderFailure> {
  const thrown = await complete(behaviour).catch((error: unknown) => error);
  expect(thrown).toBeInstanceOf(ProviderFailure);
  return thrown as ProviderFailure;
}

describe('OpenAiProvider', () => {
  it('sends instructions, data, schema, length limit and key, but no tools', async () => {
    await complete(says('{}'));
    const { body, headers } = fake.requests.at(-1)!;
    expect(body).toEqual({
      model: 'fake-model',
      max_completion_tokens: 256,
      messages: [
        { role: 'system', content: 'Answer.' },
        { role: 'user', content: '{"goal":"fly"}' },
      ],
      response_format: {
        type: 'json_schema',
        json_schema: { name: 'goal_analysis', strict: true, schema: { type: 'object' } },
      },
    });
    expect(headers.authorization).toBe('Bearer secret-key');
  });

  it('returns the text and the usage', async () => {
    expect(await complete(says('hello'))).toEqual({
      content: 'hello',
      usage: { promptTokens: 100, completionTokens: 20 },
    });
  });

  it.each([
    ['no counts', {}],
    ['negative counts', { prompt_tokens: -5, completion_tokens: 1 }],
    ['counts that are too large', { prompt_tokens: 1e300, completion_tokens: 1 }],
    ['text instead of counts', { prompt_tokens: 'many', completion_tokens: 1 }],
  ])('returns no usage if the provider sends %s', async (_what, usage) => {
    expect((await complete(says('hello', { usage }))).usage).toBeUndefined();
  });

  it.each<[string, Behaviour, Partial<ProviderFailure>]>([
    ['status 500', fails(500), { reason: 'PROVIDER_ERROR', isRetryable: true, isBilled: false }],
    ['status 429', fails(429, { 'retry-after': '3' }), { reason: 'PROVIDER_ERROR', retryAfterMs: 3_000 }],
    ['status 401', fails(401), { reason: 'PROVIDER_ERROR', isRetryable: false }],
    ['a body that is not JSON', malformed, { reason: 'MALFORMED', isBilled: true }],
    ['JSON of another form', says('', { choices: 'none' }), { reason: 'MALFORMED', isBilled: true }],
    ['no text', says(''), { reason: 'MALFORMED', isBilled: true }],
    ['a truncated answer', answerOf({ finish_reason: 'length', message: { content: '{' } }), { reason: 'MALFORMED' }],
    ['a refusal', answerOf({ message: { content: null, refusal: 'I will not' } }), { reason: 'DECLINED' }],
    ['a filtered answer', answerOf({ finish_reason: 'content_filter', message: {} }), { reason: 'DECLINED' }],
    ['a redirect', fails(302, { location: 'http://127.0.0.1:1/' }), { reason: 'PROVIDER_ERROR' }],
    ['a broken connection', (_request, { socket }) => socket?.destroy(), { reason: 'UNREACHABLE', isRetryable: true }],
  ])('fails on %s', async (_what, behaviour, expected) => {
    expect(await failure(behaviour)).toMatchObject(expected);
  });

  it('fails with UNREACHABLE if no server listens', async () => {
    const gone = await startFakeProvider(silent);
    await gone.stop();
    await expect(providerAt(gone.baseUrl).complete(REQUEST, new AbortController().signal)).rejects.toMatchObject({
      reason: 'UNREACHABLE',
      message: expect.stringMatching(/ECONNREFUSED/) as unknown,
    });
  });

  it('stops reading an answer at the size limit', async () => {
    const endless: Behaviour = (_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      const more = (): void => {
        while (!response.destroyed && response.write('"'.repeat(65_536)));
      };
      response.on('drain', more);
      more();
    };
    expect(await failure(endless)).toMatchObject({ reason: 'MALFORMED', message: /4194304 bytes/ });
  });

  it.each<[string, Behaviour]>([
    ['no answer arrives', silent],
    ['only a part arrives', (_request, response) => void response.writeHead(200).write('{"choices": ')],
  ])('rejects with the reason of the abort if %s', async (_what, behaviour) => {
    const controller = new AbortController();
    const why = new Error('time is up');
    const reply = complete((...about) => {
      behaviour(...about);
      setImmediate(() => controller.abort(why));
    }, controller.signal);
    await expect(reply).rejects.toBe(why);
  });
});

function answerOf(choice: object): Behaviour {
  return (_request, response) => sendJson(response, 200, { choices: [choice] });
}
