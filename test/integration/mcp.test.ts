// `npx tandem mcp` with the official client, on a router with real engines.
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import * as grpc from '@grpc/grpc-js';
import { type HttpEndpoint, serveHttp } from '../../services/mcp/http.ts';
import { RouterConnection } from '../../services/mcp/router-connection.ts';
import { tandemMcpServer } from '../../services/mcp/server.ts';
import { readHeldout } from '../support/heldout.ts';
import { type System, startSystem } from '../support/system.ts';

const REVISION = '2026-07-28';
const READ_ONLY = { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false };

let system: System;

beforeAll(async () => {
  system = await startSystem({ models_dir: 'deploy/models' });
});

afterAll(() => system.stop());

const encoding = (): number[] => {
  const data = readHeldout()[0]?.data ?? Buffer.alloc(0);
  return Array.from({ length: 768 }, (_, k) => data.readFloatLE(k * 4));
};

async function overStdio(mode: 'auto' | 'legacy', address = system.address): Promise<Client> {
  const client = new Client({ name: 'test', version: '1' }, { versionNegotiation: { mode } });
  const args = ['services/cli/main.ts', 'mcp', '--address', address, '--admin', system.adminAddress];
  await client.connect(new StdioClientTransport({ command: process.execPath, args, stderr: 'inherit' }));
  return client;
}

describe('npx tandem mcp over standard input and output', () => {
  let client: Client;

  beforeAll(async () => {
    client = await overStdio('auto');
  });

  afterAll(() => client.close());

  it('speaks the current protocol revision', () => {
    expect(client.getNegotiatedProtocolVersion()).toBe(REVISION);
    expect(client.getServerVersion()).toMatchObject({ name: 'tandem' });
  });

  it('offers five read-only tools, each with schemas', async () => {
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name)).toEqual(['models', 'reason', 'vote', 'replay', 'query']);
    for (const { annotations, inputSchema, outputSchema, description } of tools) {
      expect(annotations).toEqual(READ_ONLY);
      expect([inputSchema.type, outputSchema?.type]).toEqual(['object', 'object']);
      expect(description).not.toBe('');
    }
  });

  it('models lists models with their engines', async () => {
    const { structuredContent } = await client.callTool({ name: 'models', arguments: {} });
    expect(structuredContent).toMatchObject({ default_model: 'supersense' });
    const { models } = structuredContent as { models: { name: string; engines: string[] }[] };
    expect(models.find(({ name }) => name === 'supersense')?.engines).toEqual(['local', 'engine-1', 'engine-2']);
  });

  it('reason gives the router’s answer, also as text', async () => {
    const input = encoding();
    const { structuredContent, content } = await client.callTool({ name: 'reason', arguments: { encoding: input } });
    const { label, stateDigest } = await system.reason({ encoding: input });
    expect(structuredContent).toMatchObject({ label, state_digest: stateDigest.toString(16).padStart(16, '0') });
    expect(content).toEqual([{ type: 'text', text: JSON.stringify(structuredContent) }]);
  });

  it('vote shows the ballots', async () => {
    const { structuredContent } = await client.callTool({ name: 'vote', arguments: { encoding: encoding() } });
    expect(structuredContent).toMatchObject({
      grade: 'UNANIMOUS',
      ballots: [{ outcome: 'AGREED' }, { outcome: 'AGREED' }, { outcome: 'AGREED' }],
    });
  });

  it('replay runs an input on every engine', async () => {
    const input = { encoding: encoding(), model: 'supersense' };
    const { structuredContent } = await client.callTool({ name: 'replay', arguments: input });
    expect(structuredContent).toMatchObject({
      engines: [{ engine: 'local' }, { engine: 'engine-1' }, { engine: 'engine-2' }],
      differences: [],
    });
  });

  it.each([
    ['reason', { encoding: [1, 2] }, 'INVALID_ARGUMENT (INPUT_LENGTH): got 2 numbers; send 768 numbers'],
    ['reason', { encoding: [1], model: 'none' }, 'NOT_FOUND (UNKNOWN_MODEL)'],
    ['query', { query: 'x', corpus: 'none' }, 'NOT_FOUND (UNKNOWN_CORPUS)'],
    ['reason', { encoding: 'x' }, 'Input validation error'],
    ['reason', { text: 'a dog', model: 'supersense' }, 'INVALID_ARGUMENT (TEXT_UNSUPPORTED)'],
    ['reason', {}, 'INVALID_ARGUMENT (INPUT_MISSING)'],
    ['replay', { model: 'supersense' }, 'Input validation error'],
    ['models', { surplus: 1 }, 'Input validation error'],
  ])('%s reports the error in %j', async (name, args, message) => {
    const { isError, content } = await client.callTool({ name, arguments: args });
    expect([isError, JSON.stringify(content)]).toEqual([true, expect.stringContaining(message)]);
  });
});

it('serves clients of earlier revisions', async () => {
  const client = await overStdio('legacy');
  expect(client.getProtocolEra()).toBe('legacy');
  expect((await client.callTool({ name: 'models', arguments: {} })).structuredContent).toBeDefined();
  await client.close();
});

it('reports that no router answers', async () => {
  const client = await overStdio('auto', '127.0.0.1:1');
  const { isError, content } = await client.callTool({ name: 'models', arguments: {} });
  expect([isError, content]).toEqual([
    true,
    [{ type: 'text', text: 'no router answers at 127.0.0.1:1; start one with "npm start"' }],
  ]);
  await client.close();
});

describe('over Streamable HTTP', () => {
  let endpoint: HttpEndpoint;
  let router: RouterConnection;

  beforeAll(async () => {
    const credentials = grpc.credentials.createInsecure();
    router = new RouterConnection({ address: system.address, credentials, channel: {}, timeoutMs: 10_000 });
    endpoint = await serveHttp(() => tandemMcpServer({ router, admin: router, version: '1' }), 0);
  });

  afterAll(async () => {
    await endpoint.close();
    router.close();
  });

  it('serves the same tools', async () => {
    const client = new Client({ name: 'test', version: '1' }, { versionNegotiation: { mode: 'auto' } });
    await client.connect(new StreamableHTTPClientTransport(new URL(endpoint.url)));
    const { structuredContent } = await client.callTool({ name: 'reason', arguments: { encoding: encoding() } });
    expect([client.getNegotiatedProtocolVersion(), structuredContent]).toEqual([
      REVISION,
      expect.objectContaining({ model: 'supersense' }),
    ]);
    await client.close();
  });

  const post = (headers: Record<string, string>, body: string | ReadableStream = '{}', path = ''): Promise<number> =>
    fetch(endpoint.url + path, { method: 'POST', headers, body, duplex: 'half' }).then(({ status }) => status);

  it.each([
    ['a page of another origin', { origin: 'http://evil.example' }, '{}', 403],
    ['a body without a length', {}, new Blob(['{}']).stream(), 411],
  ])('refuses %s', async (_what, headers, body, status) => {
    expect(await post(headers, body)).toBe(status);
  });

  it('refuses a body that is too long, and another path', async () => {
    expect(await post({}, ' '.repeat(16_777_217))).toBe(413);
    expect(await post({}, '{}', '/else')).toBe(404);
  });
});
