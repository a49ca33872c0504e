// HTTP/2 (RFC 9113) and HPACK (RFC 7541) over a net.Socket or tls.TLSSocket, for both roles, without streams of Node.js.
//
//   socket → shared-read → frame-reader → connection (frames of the connection) → stream-frames (frames of streams, hpack-decoder)
//          → server-connection or client-connection → the StreamHandler of the layer above
//   StreamHandler → stream → sender (windows, turns) → output (one write for all that was added) → socket
//
// What a peer may cost is in limits.ts: budgets (budgets.ts), time (time-limits.ts) and memory (memory-budget.ts).
export { ClientConnection } from './client-connection.ts';
export { ErrorCode, errorCodeName } from './error-codes.ts';
export { encodeHeaders } from './hpack-encoder.ts';
export { type BudgetLimits, DEFAULT_LIMITS, type Limits, type Rate } from './limits.ts';
export { MemoryBudget } from './memory-budget.ts';
export { ReadTurns } from './read-turns.ts';
export { ServerConnection } from './server-connection.ts';
export { connectShared, takeOver } from './shared-read.ts';
export type { CloseReason, Connection, Headers, OnStream, Pacer, Stream, StreamHandler } from './types.ts';
