// What all tools share.
import type { CallToolResult } from '@modelcontextprotocol/server';

/** They change nothing, and call the router only. */
export const READ_ONLY = {
  readOnlyHint: true,
  destructiveHint: false,
  idempotentHint: true,
  openWorldHint: false,
} as const;

/** A result for programs, and the same as text for models that read no structured content. */
export function structured(value: Record<string, unknown>): CallToolResult {
  return { content: [{ type: 'text', text: JSON.stringify(value) }], structuredContent: value };
}
