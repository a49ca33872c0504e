// Tools with fixed names for the conformance suite, in addition to those of the server.
import { type CallToolResult, type McpServer, ResourceTemplate } from '@modelcontextprotocol/server';
import { z } from 'zod';

/** One red pixel. */
const IMAGE = {
  type: 'image' as const,
  mimeType: 'image/png',
  data: 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg==',
};
/** No sound. */
const AUDIO = {
  type: 'audio' as const,
  mimeType: 'audio/wav',
  data: 'UklGRiYAAABXQVZFZm10IBAAAAABAAEAQB8AAAB9AAACABAAZGF0YQIAAAA=',
};
const text = (words: string) => ({ type: 'text' as const, text: words });
const resource = (uri: string) => ({
  type: 'resource' as const,
  resource: { uri, mimeType: 'text/plain', text: 'an embedded resource' },
});
const STEPS = [0, 50, 100];

export function addFixtures(server: McpServer): McpServer {
  addTools(server);
  addResources(server);
  addPrompts(server);
  server.server.registerCapabilities({ logging: {}, completions: {} });
  server.server.setRequestHandler('logging/setLevel', () => ({}));
  server.server.setRequestHandler('completion/complete', () => ({ completion: { values: [] } }));
  return server;
}

function addTools(server: McpServer): void {
  const tool = (name: string, ...content: CallToolResult['content']): void => {
    server.registerTool(name, { description: 'of the conformance suite' }, () => ({ content }));
  };
  tool('test_simple_text', text('This is a simple text response for testing.'));
  tool('test_image_content', IMAGE);
  tool('test_audio_content', AUDIO);
  tool('test_embedded_resource', resource('test://embedded-resource'));
  tool('test_multiple_content_types', text('several'), IMAGE, resource('test://mixed-content-resource'));
  server.registerTool('test_error_handling', { description: 'fails' }, () => {
    throw new Error('This tool intentionally returns an error for testing');
  });
  server.registerTool(
    'test_tool_with_progress',
    { description: 'tells its progress', inputSchema: z.object({}) },
    async (_input, { mcpReq }) => {
      const progressToken = mcpReq._meta?.progressToken;
      for (const progress of progressToken === undefined ? [] : STEPS) {
        const params = { progressToken: progressToken!, progress, total: 100 };
        await mcpReq.notify({ method: 'notifications/progress', params });
      }
      return { content: [text('done')] };
    },
  );
  server.registerTool(
    'test_tool_with_logging',
    { description: 'writes a log', inputSchema: z.object({}) },
    async (_input, { mcpReq }) => {
      for (const data of ['started', 'working', 'done']) {
        await mcpReq.notify({ method: 'notifications/message', params: { level: 'info', data } });
      }
      return { content: [text('done')] };
    },
  );
}

function addResources(server: McpServer): void {
  server.registerResource('static-text', 'test://static-text', { mimeType: 'text/plain' }, () => ({
    contents: [{ uri: 'test://static-text', mimeType: 'text/plain', text: 'a static text' }],
  }));
  server.registerResource('static-binary', 'test://static-binary', { mimeType: IMAGE.mimeType }, () => ({
    contents: [{ uri: 'test://static-binary', mimeType: IMAGE.mimeType, blob: IMAGE.data }],
  }));
  const template = new ResourceTemplate('test://template/{id}/data', { list: undefined });
  server.registerResource('template', template, { mimeType: 'application/json' }, (uri, { id }) => ({
    contents: [
      { uri: uri.href, mimeType: 'application/json', text: JSON.stringify({ id, data: `Data for ID: ${String(id)}` }) },
    ],
  }));
}

function addPrompts(server: McpServer): void {
  const user = <Content>(content: Content) => ({ role: 'user' as const, content });
  server.registerPrompt('test_simple_prompt', { description: 'has no arguments' }, () => ({
    messages: [user(text('This is a simple prompt for testing.'))],
  }));
  server.registerPrompt(
    'test_prompt_with_arguments',
    { description: 'has two', argsSchema: z.object({ arg1: z.string(), arg2: z.string() }) },
    ({ arg1, arg2 }) => ({ messages: [user(text(`Prompt with arguments: arg1='${arg1}', arg2='${arg2}'`))] }),
  );
  server.registerPrompt(
    'test_prompt_with_embedded_resource',
    { description: 'embeds a resource', argsSchema: z.object({ resourceUri: z.string() }) },
    ({ resourceUri }) => ({ messages: [user(resource(resourceUri)), user(text('Please process it.'))] }),
  );
  server.registerPrompt('test_prompt_with_image', { description: 'embeds an image' }, () => ({
    messages: [user(IMAGE), user(text('Please look at it.'))],
  }));
}
