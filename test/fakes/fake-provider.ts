// A language model whose answers a test sets, over real HTTP: OpenAI's chat completions.
import { type IncomingMessage, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface ChatRequest {
  readonly model: string;
  readonly messages: readonly { readonly role: string; readonly content: string }[];
  readonly max_completion_tokens: number;
  readonly response_format: { readonly type: string; readonly json_schema: { readonly name: string } };
  readonly tools?: unknown;
}

/** Answers one request; a test may do anything with the response. */
export type Behaviour = (request: ChatRequest, response: ServerResponse) => void;

export interface FakeProvider {
  /** For setting agents.provider.base_url. */
  readonly baseUrl: string;
  readonly requests: { readonly body: ChatRequest; readonly headers: IncomingMessage['headers'] }[];
  behave(behaviour: Behaviour): void;
  stop(): Promise<void>;
}

export async function startFakeProvider(behaviour: Behaviour): Promise<FakeProvider> {
  const requests: FakeProvider['requests'] = [];
  let current = behaviour;
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = JSON.parse(Buffer.concat(chunks).toString('utf8')) as ChatRequest;
      requests.push({ body, headers: request.headers });
      current(body, response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    baseUrl: `http://127.0.0.1:${port}/v1`,
    requests,
    behave: (next) => (current = next),
    stop: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

export const USAGE = { prompt_tokens: 100, completion_tokens: 20, total_tokens: 120 };

/** A completion with this text; an object is sent as JSON. */
export function says(content: unknown, over: object = {}): Behaviour {
  const text = typeof content === 'string' ? content : JSON.stringify(content);
  return (_request, response) => {
    sendJson(response, 200, {
      id: 'chat-1',
      object: 'chat.completion',
      choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content: text } }],
      usage: USAGE,
      ...over,
    });
  };
}

export function fails(status: number, headers: Record<string, string> = {}): Behaviour {
  return (_request, response) => sendJson(response, status, { error: { message: 'no' } }, headers);
}

/** Accepts the request, and never answers. */
export const silent: Behaviour = () => undefined;

/** A 200 with invalid JSON. */
export const malformed: Behaviour = (_request, response) => {
  response.writeHead(200, { 'content-type': 'application/json' }).end('{"choices": [');
};

export function sendJson(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
}
