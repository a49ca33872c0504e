export { ClientConnection } from './client-connection.ts';
export { ErrorCode, errorCodeName } from './error-codes.ts';
export { encodeHeaders } from './hpack-encoder.ts';
export { type BudgetLimits, DEFAULT_LIMITS, type Limits, type Rate } from './limits.ts';
export { MemoryBudget } from './memory-budget.ts';
export { COPIED_BYTES } from './output.ts';
export { ServerConnection } from './server-connection.ts';
export type { CloseReason, Connection, Headers, OnStream, Stream, StreamHandler } from './types.ts';
