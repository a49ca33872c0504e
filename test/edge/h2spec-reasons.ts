// The h2spec cases that an edge does not pass, each with its reason. A failed case that is not listed here is a fault.
import type { EdgeName } from './edges.ts';

const NO_BODY = 'grpc-js answers a request that is not a gRPC call without a body, and the case needs one';
const NODE = 'Node.js’s own HTTP/2 (nghttp2) decides this, and grpc-js cannot change it';
const RACE = 'is random: grpc-js has often answered, and closed the stream, before the frame arrives';

const REASONS: Partial<Record<EdgeName, Readonly<Record<string, string>>>> = {
  'grpc-js': {
    'generic/2 Sends a WINDOW_UPDATE frame on half-closed (remote) stream': NO_BODY,
    'generic/2 Sends a PRIORITY frame on half-closed (remote) stream': NO_BODY,
    'http2/5.1.2 Sends HEADERS frames that causes their advertised concurrent stream limit to be exceeded': NO_BODY,
    'http2/6.5.3 Sends multiple values of SETTINGS_INITIAL_WINDOW_SIZE': NO_BODY,
    'http2/6.9.1 Sends SETTINGS frame to set the initial window size to 1 and sends HEADERS frame': NO_BODY,
    'http2/6.9.2 Changes SETTINGS_INITIAL_WINDOW_SIZE after sending HEADERS frame': NO_BODY,
    'http2/6.9.2 Sends a SETTINGS frame for window size to be negative': NO_BODY,
    'http2/5.1 closed: Sends a DATA frame after sending RST_STREAM frame': NODE,
    'http2/5.1 closed: Sends a HEADERS frame after sending RST_STREAM frame': NODE,
    'http2/5.1 closed: Sends a DATA frame': NODE,
    'http2/5.1 closed: Sends a HEADERS frame': NODE,
    'http2/5.1.1 Sends stream identifier that is numerically smaller than previous': NODE,
    'http2/5.3.1 Sends PRIORITY frame that depend on itself': NODE,
    'http2/6.3 Sends a PRIORITY frame with 0x0 stream identifier': NODE,
    'http2/6.7 Sends a PING frame with ACK': NODE,
    'http2/6.9.1 Sends multiple WINDOW_UPDATE frames increasing the flow control window to above 2^31-1 on a stream':
      NODE,
    'http2/8.1 Sends a second HEADERS frame without the END_STREAM flag': RACE,
  },
};

export function reasonFor(edge: EdgeName, id: string): string | undefined {
  return REASONS[edge]?.[id];
}
