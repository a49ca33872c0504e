import { beforeEach, describe, expect, it } from '@jest/globals';
import { FakeCall } from '../../test/fakes/fake-call.ts';
import { Health } from './health.ts';
import type { OneRequestMethod } from './method.ts';
import { Code, type Status } from './status.ts';

const [SERVING, NOT_SERVING, SERVICE_UNKNOWN] = [1, 2, 3];

let health: Health;
let check: OneRequestMethod<string, number>;
let watch: OneRequestMethod<string, number>;

beforeEach(() => {
  health = new Health(['', 'a.B']);
  [check, watch] = health.methods as unknown as [typeof check, typeof watch];
});

function checked(service: string): { answers: readonly number[]; status: Status | undefined } {
  let status: Status | undefined;
  const call = new FakeCall<number>((end) => (status = end));
  check.handle(call, service);
  return { answers: call.answers, status };
}

function watched(service: string): FakeCall<number> {
  const call = new FakeCall<number>();
  watch.handle(call, service);
  return call;
}

describe('Check', () => {
  it('returns the state of the server and of each service', () => {
    expect(checked('').answers).toEqual([NOT_SERVING]);
    health.set(true);
    expect([checked('').answers, checked('a.B').answers]).toEqual([[SERVING], [SERVING]]);
  });

  it('fails with NOT_FOUND for an unknown service', () => {
    expect(checked('a.C')).toMatchObject({ answers: [], status: { code: Code.NOT_FOUND } });
  });
});

describe('Watch', () => {
  it('sends the current state and each change', () => {
    const call = watched('a.B');
    health.set(true);
    health.set(true);
    health.set(false);
    expect(call.answers).toEqual([NOT_SERVING, SERVING, NOT_SERVING]);
  });

  it('sends SERVICE_UNKNOWN for an unknown service and stays open', () => {
    const call = watched('a.C');
    expect([call.answers, call.isOver]).toEqual([[SERVICE_UNKNOWN], false]);
  });

  it('sends only the latest state to a slow reader', () => {
    const call = watched('');
    call.hasUnsent = true;
    health.set(true);
    health.set(false);
    health.set(true);
    call.hasUnsent = false;
    call.listener?.onDrain?.();
    expect(call.answers).toEqual([NOT_SERVING, SERVING]);
  });

  it('sends nothing more after the caller has left', () => {
    const call = watched('');
    call.cut();
    health.set(true);
    expect(call.answers).toEqual([NOT_SERVING]);
  });
});

describe('HealthCheckRequest', () => {
  const request = (name: string): Buffer => {
    const { length } = Buffer.from(name);
    const prefix = length < 128 ? [0x0a, length] : [0x0a, 128 + (length % 128), length >> 7];
    return Buffer.concat([Buffer.from(prefix), Buffer.from(name)]);
  };

  it.each(['', 'tandem.v1.ReasoningService', 'ü'.repeat(50), 'x'.repeat(300)])('is decoded for %j', (name) => {
    expect(check.decode(request(name))).toBe(name);
  });

  it('means the whole server if it is empty', () => {
    expect(check.decode(Buffer.alloc(0))).toBe('');
  });

  it('has an answer with the state as field 1', () => {
    expect([...check.encode(SERVING)]).toEqual([8, 1]);
  });

  it.each([[Buffer.from([0x0a])], [Buffer.from([0x0a, 5, 1])], [Buffer.from([0x12, 0])], [Buffer.alloc(2_000, 0x0a)]])(
    'is refused if it is invalid: %#',
    (bytes) => {
      expect(() => check.decode(bytes)).toThrow(/HealthCheckRequest|more than 1024 bytes/);
    },
  );
});
