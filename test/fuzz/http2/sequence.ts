// Sequences of HTTP/2 frames of a client, mostly sound, with something wrong here and there; from a seed.
import { Flag, FrameType, PREFACE, frame, headerBlock, hpackInteger, settings, uint32 } from '../../edge/wire.ts';
import { Random } from '../random.ts';

/** The last frame: a server that answers it has taken everything before it. */
export const LAST_PING = Buffer.from('the last');

const MOST_FRAMES = 8;
const STREAMS = [0, 1, 1, 1, 3, 3, 5, 2, 7];
const REQUEST = [
  [':method', 'POST'],
  [':scheme', 'http'],
  [':path', '/a'],
  [':authority', 'localhost'],
] as const;

const sound = headerBlock(REQUEST);
const more = (...fields: [string, string][]): Buffer => Buffer.concat([sound, headerBlock(fields)]);
const BLOCKS: readonly Buffer[] = [
  ...Array.from({ length: 8 }, () => sound),
  more(['x-a', 'b']),
  headerBlock([...REQUEST, ['x-indexed', 'yes']], true),
  Buffer.from([0x83, 0x86, 0x84]), // static entries only
  more(['te', 'trailers'], ['content-length', '3']),
  more(['content-length', '0']),
  more(['content-length', '-1']),
  more(['Upper', 'case']),
  more(['connection', 'close']),
  more(['te', 'gzip']),
  more(['x-null', 'a\0b']),
  more(['x-line', 'a\r\nb']),
  more(['x-space', ' a ']),
  more([':path', '/twice']),
  more([':status', '200']),
  more([':unknown', 'x']),
  headerBlock([['x-first', 'b'], ...REQUEST]),
  headerBlock(REQUEST.slice(0, 2)),
  headerBlock([['x-trailer', 'yes']]),
  headerBlock([
    [':method', 'CONNECT'],
    [':authority', 'localhost:1'],
  ]),
  headerBlock([...REQUEST.slice(0, 2), [':path', ''], [':authority', 'localhost']]),
  Buffer.concat([Buffer.from([0x20]), sound]),
  Buffer.concat([hpackInteger(5_000, 5, 0x20), sound]),
  Buffer.concat([sound, Buffer.from([0x20])]),
  Buffer.concat([sound, hpackInteger(62, 7, 0x80)]),
  Buffer.concat([sound, Buffer.from([0x80])]),
  Buffer.concat([sound, Buffer.from([0x40, 0x01, 0x78, 0x81, 0xff])]),
  Buffer.concat([sound, Buffer.from([0x40, 0x01])]),
  Buffer.concat([sound, Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff, 0xff])]),
  Buffer.alloc(0),
];

export function sequenceOf(seed: number): Buffer {
  const random = new Random(seed);
  const frames = [random.next() < 0.01 ? damage(PREFACE, random) : PREFACE];
  if (random.next() < 0.98) frames.push(settings());
  let ordinary = 1;
  const count = 1 + Math.floor(random.next() * MOST_FRAMES);
  for (let each = 0; each < count; each += 1) {
    if (random.next() < 0.3) {
      frames.push(frame(FrameType.HEADERS, Flag.END_HEADERS | random.pick([0, Flag.END_STREAM]), ordinary, sound));
      ordinary += 2;
    } else {
      const bytes = anyFrame(random);
      frames.push(random.next() < 0.1 ? damage(bytes, random) : bytes);
    }
  }
  frames.push(frame(FrameType.PING, 0, 0, LAST_PING));
  return Buffer.concat(frames);
}

function anyFrame(random: Random): Buffer {
  const stream = random.pick(STREAMS);
  const flags = random.next() < 0.1 ? Math.floor(random.next() * 256) : 0;
  const block = random.pick(BLOCKS);
  const end = random.pick([0, Flag.END_STREAM]);
  const size = random.pick([0, 0, 1, 3, 3, 4, 5, 8, 100]);
  const payload = Buffer.alloc(size, Math.floor(random.next() * 256));
  const value = random.pick([0, 1, 100, 65_535, 0x7fffffff, 0x80000001, 0xffffffff]);
  switch (Math.floor(random.next() * 14)) {
    case 0:
    case 1:
    case 2:
      return frame(FrameType.HEADERS, flags | Flag.END_HEADERS | end, stream, block);
    case 3: {
      const cut = Math.floor(random.next() * (block.length + 1));
      const rest = frame(FrameType.CONTINUATION, Flag.END_HEADERS, stream, block.subarray(cut));
      return Buffer.concat([frame(FrameType.HEADERS, flags | end, stream, block.subarray(0, cut)), rest]);
    }
    case 4: {
      const priority = Buffer.concat([uint32(random.pick([0, 1, 3])), Buffer.from([15]), block]);
      return frame(FrameType.HEADERS, Flag.PRIORITY | Flag.END_HEADERS | end, stream, priority);
    }
    case 5: {
      const padded = Buffer.concat([Buffer.from([size]), block, Buffer.alloc(random.next() < 0.8 ? size : 0)]);
      return frame(FrameType.HEADERS, Flag.PADDED | Flag.END_HEADERS | end, stream, padded);
    }
    case 6:
    case 7:
      return frame(FrameType.DATA, flags | end, stream, payload);
    case 8:
      return frame(FrameType.DATA, Flag.PADDED | end, stream, payload);
    case 9:
      return frame(FrameType.RST_STREAM, flags, stream, random.next() < 0.8 ? uint32(value) : payload);
    case 10: {
      const setting = Buffer.concat([Buffer.from([0, Math.floor(random.next() * 10)]), uint32(value)]);
      return frame(
        FrameType.SETTINGS,
        flags,
        random.next() < 0.9 ? 0 : stream,
        random.next() < 0.8 ? setting : payload,
      );
    }
    case 11:
      return frame(FrameType.WINDOW_UPDATE, flags, stream, random.next() < 0.9 ? uint32(value) : payload);
    case 12: {
      const priority = Buffer.concat([uint32(random.pick(STREAMS)), Buffer.from([1])]);
      return frame(FrameType.PRIORITY, flags, stream, random.next() < 0.8 ? priority : payload);
    }
    default: {
      const type = random.pick([
        FrameType.PUSH_PROMISE,
        FrameType.PING,
        FrameType.GOAWAY,
        FrameType.CONTINUATION,
        0xbb,
      ]);
      return frame(type, flags, random.next() < 0.5 ? 0 : stream, random.next() < 0.5 ? Buffer.alloc(8) : payload);
    }
  }
}

/** One byte changed, which may be one of a length: what follows is then read as something else. */
function damage(bytes: Buffer, random: Random): Buffer {
  const damaged = Buffer.from(bytes);
  if (damaged.length > 0) damaged[Math.floor(random.next() * damaged.length)] = Math.floor(random.next() * 256);
  return damaged;
}
