// Shared by all tools.
import type { CallToolResult } from '@modelcontextprotocol/server';

/** Tools change nothing and only call the router. */
export const READ_ONLY = {
  readOnlyHint: true,
  destructiveHint: false,
  idempotentHint: true,
  openWorldHint: false,
} as const;

/** A result for programs, and the same as text for models that do not read structured content. */
export function structured(value: Record<string, unknown>): CallToolResult {
  return { content: [{ type: 'text', text: JSON.stringify(value) }], structuredContent: value };
}
