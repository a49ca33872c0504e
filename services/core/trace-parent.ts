// W3C Trace Context: parses the caller's `traceparent` and generates ids.
// https://www.w3.org/TR/trace-context-2/

interface TraceParent {
  /** 32 hexadecimal digits, not all zero. */
  readonly traceId: string;
  /** 16 hexadecimal digits, not all zero. */
  readonly spanId: string;
  readonly isSampled: boolean;
}

const VERSION_00_CHARS = 55;
/** A future version may append fields; a limited number is accepted. */
const MAX_CHARS = 512;
const FORM = /^(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-|$)/;

/** Undefined if invalid: the request then starts a new trace. */
export function parseTraceParent(text: string): TraceParent | undefined {
  if (text.length < VERSION_00_CHARS || text.length > MAX_CHARS) return undefined;
  const [, version, traceId, spanId, flags] = FORM.exec(text) ?? [];
  if (traceId === undefined || spanId === undefined) return undefined;
  if (version === '00' && text.length !== VERSION_00_CHARS) return undefined;
  return { traceId, spanId, isSampled: (parseInt(flags ?? '', 16) & 1) === 1 };
}

const TRACE_ID_CHARS = 32;
const DIGIT_0 = 0x30;
const LETTER_A = 0x61;

const scratch = Buffer.alloc(16);
const words = new Int32Array(scratch.buffer, scratch.byteOffset, 4);

/** Random enough to be unique, but not secret: like OpenTelemetry's ids, at a tenth of the cost of a CSPRNG. */
export function newTraceId(): string {
  for (let at = 0; at < 4; at += 1) words[at] = random32() || 1; // never all zeros
  return scratch.toString('hex');
}

export function newSpanId(): string {
  return hex32(random32()) + hex32(random32() || 1);
}

export function random32(): number {
  return (Math.random() * 0x1_0000_0000) | 0;
}

/** Eight digits. */
export function hex32(value: number): string {
  return (value >>> 0).toString(16).padStart(8, '0');
}

/**
 * Whether a trace is in a sample of this share. Every process that decides by the trace's id decides the same. Same
 * algorithm as OpenTelemetry's TraceIdRatioBased in JavaScript.
 */
export function isInSample(traceId: string, ratio: number): boolean {
  if (ratio >= 1) return true;
  if (ratio <= 0) return false;
  let folded = 0;
  for (let at = 0; at < TRACE_ID_CHARS; at += 8) folded ^= wordAt(traceId, at);
  return folded >>> 0 < Math.floor(ratio * 0xffffffff);
}

/** Eight digits as a number: decoding them in native code takes longer. */
function wordAt(hexadecimal: string, start: number): number {
  let word = 0;
  for (let at = start; at < start + 8; at += 1) {
    const code = hexadecimal.charCodeAt(at);
    word = (word << 4) | (code < LETTER_A ? code - DIGIT_0 : code - LETTER_A + 10);
  }
  return word;
}

/** Metadata of a call whose caller shows a link to its trace: the trace is kept, whatever the sample. */
export const KEEP_TRACE = { name: 'tandem-trace', value: 'keep' };
