// The allowed differences between our server and Node's (nghttp2), with the section of RFC 9113. Any other difference
// is a fault of one of them.

export interface Explanation {
  /** Of a difference's kind; see compare.ts. */
  readonly pattern: RegExp;
  readonly section: string;
  readonly why: string;
}

const ALIVE = 'Node’s (alive|waits|closed \\((0|2|no GOAWAY).*\\))$';
const closedBy = (text: string): RegExp => new RegExp(`^ours closed \\(\\d+: ${text}.*\\); ${ALIVE}`);

const EXPLANATIONS: readonly Explanation[] = [
  {
    pattern: /^ours closed \(1: the client does not begin with the preface.*; Node’s closed \(2\)$/,
    section: '3.4',
    why: 'an invalid preface is PROTOCOL_ERROR; Node says INTERNAL_ERROR',
  },
  {
    pattern: closedBy('HEADERS on stream N, which has ended'),
    section: '5.1.1',
    why: 'HEADERS on a stream that has ended are a connection error; nghttp2 ignores some',
  },
  {
    pattern: closedBy('a stream depends on itself'),
    section: '5.3.2 (RFC 7540, 5.3.1)',
    why: 'h2spec asks for an error; nghttp2 ignores PRIORITY frames',
  },
  { pattern: closedBy('PRIORITY'), section: '6.3', why: 'nghttp2 ignores PRIORITY frames, wrong ones too' },
  {
    pattern: closedBy('(the padding of DATA is longer|a padded frame has no padding length)'),
    section: '6.1',
    why: 'nghttp2 does not check frames of ended streams',
  },
  {
    pattern: closedBy('a frame has N bytes'),
    section: '4.2',
    why: 'ours refuses a frame that is too large by its header; nghttp2 waits for its payload',
  },
  {
    pattern: /^ours alive; Node’s closed \(5: (DATA: stream in half-closed|HEADERS: stream closed)/,
    section: '5.1',
    why: 'a stream error is enough; nghttp2 makes a connection error of it',
  },
  {
    pattern: /^ours alive; Node’s closed \(\d: WINDOW_UPDATE: window/,
    section: '6.9, 6.9.1',
    why: 'on a stream it is a stream error; nghttp2 makes a connection error of it',
  },
  {
    pattern: /^ours alive; Node’s closed \(3\)$/,
    section: '6.9.2',
    why: 'a new initial window is too much for a stream that ours has answered already',
  },
  {
    pattern: /^stream: ours reset 5; Node’s reset 1$/,
    section: '8.3.1',
    why: 'nghttp2 also checks the characters of :authority; both refuse the DATA that follows',
  },
  {
    pattern: /^ours alive; Node’s closed \(1: SETTINGS: .*(CONNECT_PROTOCOL|RFCN_PRIORITIES)/,
    section: '6.5.2',
    why: 'settings of extensions (RFC 8441, RFC 9218) that an endpoint does not know are ignored',
  },
  {
    pattern: /Node’s closed \(11: SETTINGS: too many setting entries\)$/,
    section: '10.5',
    why: 'nghttp2 accepts 32 settings in a frame; ours counts frames instead',
  },
  {
    pattern: /^ours waits; Node’s closed/,
    section: '4.2',
    why: 'ours checks a frame when it is complete; nghttp2 checks some by their header',
  },
  {
    pattern: /^ours closed \(0(: .*)?\); Node’s (alive|closed)/,
    section: '6.8',
    why: 'after the client’s GOAWAY, and with no stream open, ours ends the connection and reads no more',
  },
  {
    pattern: /^ours alive; Node’s closed \((0|no GOAWAY)\)$/,
    section: '6.8',
    why: 'after the client’s GOAWAY Node closes although a stream is open',
  },
  {
    pattern: /^ours alive; Node’s closed \(1: GOAWAY: invalid last_stream_id\)$/,
    section: '6.8',
    why: 'the stream that a client’s GOAWAY names is one of the server, and ours opens none',
  },
  { pattern: /^ours .*; Node’s closed \(2\)$/, section: '7', why: 'INTERNAL_ERROR: Node’s own fault' },
  {
    pattern: /^stream: ours reset 5; Node’s silent$/,
    section: '5.1',
    why: 'frames on a stream that has ended are STREAM_CLOSED; nghttp2 ignores some',
  },
  {
    pattern: /^stream: ours reset 1; Node’s (answered|silent)$/,
    section: '8.2.1',
    why: 'a field value that is not allowed makes a request malformed; nghttp2 leaves out the field',
  },
  {
    pattern: /^stream: ours answered; Node’s silent$/,
    section: '5.1',
    why: 'the client resets a stream that ours has answered already',
  },
  {
    pattern: /^stream: ours answered; Node’s reset 1$/,
    section: '8.3.1',
    why: 'a request needs no :authority; nghttp2 wants one',
  },
  {
    pattern: /^stream: ours silent; Node’s reset \d+$/,
    section: '4.3',
    why: 'ours decodes a header block when it is complete; nghttp2 while it arrives',
  },
];

export function explain(kind: string): Explanation | undefined {
  return EXPLANATIONS.find(({ pattern }) => pattern.test(kind));
}
