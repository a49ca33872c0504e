// Encoding into one writer again and again: a fresh one grows through a dozen buffers for every large message. That
// growing was 5 % of the router's time at 64 requests in flight.

interface Writer {
  /** All bytes written, as a copy; the writer starts anew and keeps its memory. */
  finish(): Uint8Array;
}

/** A gRPC serializer from a generated `encode`. Not reentrant, and need not be. */
export function serializer<Message, W extends Writer>(
  encode: (message: Message, writer: W) => W,
  createWriter: () => W,
): (message: Message) => Buffer {
  let writer = createWriter();
  return (message) => {
    try {
      const bytes = encode(message, writer).finish();
      return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    } catch (error) {
      writer = createWriter(); // this one holds half a message
      throw error;
    }
  };
}
