import { EventEmitter } from 'node:events';
import { beforeEach, describe, expect, it } from '@jest/globals';
import * as grpc from '@grpc/grpc-js';
import { Metadata } from '../../grpc/metadata.ts';
import type { CallOwner, IncomingCall, Method } from '../../grpc/method.ts';
import { Code, status } from '../../grpc/status.ts';
import { addMethods, remainingMs, toGrpcJs } from './call.ts';
import { setOwner } from './owners.ts';

type Registered = (call: unknown, reply?: (...args: unknown[]) => void) => void;

/** A call as grpc-js gives it to a handler. */
class LibraryCall extends EventEmitter {
  readonly call = {};
  readonly metadata = new grpc.Metadata();
  readonly request = { request: 'the request' };
  deadline: grpc.Deadline = Infinity;
  peer = '10.0.0.1:555';
  writableLength = 0;
  isPausedNow = false;
  readonly written: unknown[] = [];
  readonly sent: (() => void)[] = [];
  ends = 0;
  resumes = 0;

  getDeadline(): grpc.Deadline {
    return this.deadline;
  }

  getPeer(): string {
    return this.peer;
  }

  write(response: unknown, done: () => void): boolean {
    this.written.push(response);
    this.sent.push(done);
    return this.writableLength === 0;
  }

  end(): void {
    this.ends += 1;
  }

  pause(): void {
    this.isPausedNow = true;
  }

  isPaused(): boolean {
    return this.isPausedNow;
  }

  resume(): void {
    this.resumes += 1;
    this.isPausedNow = false;
  }
}

let library: LibraryCall;
let events: unknown[];
let replies: unknown[][];

beforeEach(() => {
  library = new LibraryCall();
  [events, replies] = [[], []];
});

/** Begins a call of that kind; `events` has the events of its listener. */
function begin(requestStream: boolean, responseStream: boolean): IncomingCall {
  const made: { call?: IncomingCall } = {};
  const method = {
    ...{ path: '/a.B/C', requestStream, responseStream },
    decode: (bytes: Buffer) => bytes.toString(),
    encode: (text: string) => new TextEncoder().encode(text),
    handle: (call: IncomingCall, request?: unknown) => {
      made.call = call;
      if (!requestStream) events.push(request);
    },
  } as Method;
  let handler: Registered | undefined;
  const register = (path: string, handle: Registered, encode: (text: string) => Buffer, decode: unknown): void => {
    handler = handle;
    const read = decode as (bytes: Buffer) => unknown;
    expect([path, encode('é'), read(Buffer.from('x'))]).toEqual(['/a.B/C', Buffer.from('é'), { request: 'x' }]);
  };
  addMethods({ register } as unknown as grpc.Server, [method]);
  handler!(library, (...args) => void replies.push(args));
  made.call!.listener = {
    onMessage: (request: never) => void events.push(request),
    onEnd: () => void events.push('end'),
    onDrain: () => void events.push('drain'),
    onCut: () => void events.push('cut'),
  };
  return made.call!;
}

describe('a call of grpc-js', () => {
  it('has its path, caller, address and metadata', () => {
    const owner = {} as CallOwner;
    setOwner(library.call, owner);
    library.metadata.add('k', 'v');
    library.metadata.add('k', 'w');
    library.metadata.add('x-bin', Buffer.from([1, 255]));
    const call = begin(false, false);
    expect([call.path, call.owner, call.peer]).toEqual(['/a.B/C', owner, '10.0.0.1']);
    expect([call.metadata.get('k'), call.metadata.get('x-bin')]).toEqual([['v', 'w'], ['Af8=']]);
    expect(call.metadata).toBe(call.metadata);
  });

  it.each([
    ['[::1]:80', '[::1]'],
    ['unknown', ''],
    [':1', ''],
  ])('whose peer is %s has the address "%s"', (peer, address) => {
    library.peer = peer;
    expect(begin(false, false).peer).toBe(address);
  });

  it('has its deadline on the clock of performance.now()', () => {
    library.deadline = Date.now() + 5_000;
    const call = begin(false, false);
    expect(call.deadlineMs - call.startedMs).toBeGreaterThan(4_500);
    expect(call.deadlineMs - call.startedMs).toBeLessThanOrEqual(5_001);
  });

  it.each([
    [false, false],
    [false, true],
    [true, true],
  ])('tells its listener once that its caller has left (streams: %s, %s)', (requestStream, responseStream) => {
    const call = begin(requestStream, responseStream);
    library.emit('cancelled');
    library.emit('cancelled');
    expect(events.filter((event) => event === 'cut')).toHaveLength(1);
    expect(call.isOver).toBe(true);
  });
});

describe('a unary call', () => {
  it('is answered with one message', () => {
    const call = begin(false, false);
    expect([call.hasUnsent, call.isOver]).toEqual([false, false]);
    call.answer('yes');
    call.end();
    library.emit('cancelled');
    expect([events, replies, call.isOver]).toEqual([['the request'], [[null, 'yes']], true]);
  });

  it('takes the first message that is sent as its answer', () => {
    const call = begin(false, false);
    expect(call.send('yes')).toBe(false);
    expect([replies, call.isOver]).toEqual([[[null, 'yes']], true]);
  });

  it('fails with a status', () => {
    const call = begin(false, false);
    call.fail(status('NOT_FOUND', 'none'));
    library.emit('cancelled');
    expect(replies).toMatchObject([[{ code: grpc.status.NOT_FOUND, details: 'none' }]]);
    expect([events, call.isOver]).toEqual([['the request'], true]);
  });

  it('ignores pause and resume', () => {
    const call = begin(false, false);
    call.pause();
    call.resume();
    expect([library.isPausedNow, library.resumes]).toEqual([false, 0]);
  });
});

describe.each([
  ['a call with several answers', false],
  ['a stream', true],
])('%s', (_, requestStream) => {
  let call: IncomingCall;

  beforeEach(() => {
    call = begin(requestStream, true);
    events = [];
  });

  it('sends messages, and says when they have left', () => {
    expect([call.send('a'), call.hasUnsent]).toEqual([true, false]);
    library.writableLength = 1;
    expect([call.send('b'), call.hasUnsent]).toEqual([false, true]);
    library.sent[0]!();
    expect(events).toEqual([]);
    library.writableLength = 0;
    library.sent[1]!();
    expect([library.written, events]).toEqual([['a', 'b'], ['drain']]);
  });

  it('sends nothing after its end', () => {
    call.end();
    expect([call.send('a'), call.isOver, library.ends, library.written]).toEqual([false, true, 1, []]);
  });

  it('is answered with one message, and ends', () => {
    call.answer('a');
    expect([library.written, library.ends, call.isOver]).toEqual([['a'], 1, true]);
  });

  it('fails once, and its listener is not told that the caller left', () => {
    const errors: unknown[] = [];
    library.on('error', (error) => errors.push(error));
    call.fail(status('ABORTED', 'why'));
    call.fail(status('NOT_FOUND', 'again'));
    expect(errors).toMatchObject([{ code: grpc.status.ABORTED, details: 'why' }]);
    expect([events, call.isOver]).toEqual([[], true]);
  });
});

describe('a stream of requests', () => {
  it('passes its messages and its end on', () => {
    begin(true, true);
    library.emit('data', { request: 1 });
    library.emit('data', { request: 2 });
    library.emit('end');
    expect(events).toEqual([1, 2, 'end']);
  });

  it('is cut by an error of its connection', () => {
    const call = begin(true, true);
    library.emit('error', new Error('reset'));
    expect([events, call.isOver]).toEqual([['cut'], true]);
  });

  it('pauses, and resumes only if it is paused', () => {
    const call = begin(true, true);
    call.resume();
    call.pause();
    expect([library.resumes, library.isPausedNow]).toEqual([0, true]);
    call.resume();
    expect([library.resumes, library.isPausedNow]).toEqual([1, false]);
  });
});

describe('remainingMs', () => {
  it('returns the time until a deadline', () => {
    const deadline = Date.now() + 5_000;
    for (const leftMs of [remainingMs(deadline), remainingMs(new Date(deadline))]) {
      expect(leftMs).toBeGreaterThan(4_500);
      expect(leftMs).toBeLessThanOrEqual(5_000);
    }
    expect(remainingMs(Infinity)).toBe(Infinity);
  });
});

describe('toGrpcJs', () => {
  it('converts the code, the text and the trailers', () => {
    const metadata = Metadata.of({ a: 'x', 'b-bin': Buffer.from([1, 2]) });
    const made = toGrpcJs({ code: Code.ABORTED, message: 'why', metadata });
    expect([made.code, made.details]).toEqual([grpc.status.ABORTED, 'why']);
    expect(made.metadata.toJSON()).toEqual({ a: ['x'], 'b-bin': [Buffer.from([1, 2])] });
  });

  it('converts a status without trailers', () => {
    expect(toGrpcJs(status('OK', '')).metadata.toJSON()).toEqual({});
  });
});
