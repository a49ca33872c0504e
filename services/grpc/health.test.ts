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
  it('says whether the server and each of its services can be sent requests', () => {
    expect(checked('').answers).toEqual([NOT_SERVING]);
    health.set(true);
    expect([checked('').answers, checked('a.B').answers]).toEqual([[SERVING], [SERVING]]);
  });

  it('knows no other service', () => {
    expect(checked('a.C')).toMatchObject({ answers: [], status: { code: Code.NOT_FOUND } });
  });
});

describe('Watch', () => {
  it('says how it is, and each change', () => {
    const call = watched('a.B');
    health.set(true);
    health.set(true);
    health.set(false);
    expect(call.answers).toEqual([NOT_SERVING, SERVING, NOT_SERVING]);
  });

  it('says of a service that there is none, and waits', () => {
    const call = watched('a.C');
    expect([call.answers, call.isOver]).toEqual([[SERVICE_UNKNOWN], false]);
  });

  it('tells a slow reader the last state, and not what was between', () => {
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

describe('a HealthCheckRequest', () => {
  const request = (name: string): Buffer => {
    const { length } = Buffer.from(name);
    const prefix = length < 128 ? [0x0a, length] : [0x0a, 128 + (length % 128), length >> 7];
    return Buffer.concat([Buffer.from(prefix), Buffer.from(name)]);
  };

  it.each(['', 'tandem.v1.ReasoningService', 'ü'.repeat(50), 'x'.repeat(300)])('for %j is read', (name) => {
    expect(check.decode(request(name))).toBe(name);
  });

  it('that is empty is for the whole server', () => {
    expect(check.decode(Buffer.alloc(0))).toBe('');
  });

  it('answer has its state as field 1', () => {
    expect([...check.encode(SERVING)]).toEqual([8, 1]);
  });

  it.each([[Buffer.from([0x0a])], [Buffer.from([0x0a, 5, 1])], [Buffer.from([0x12, 0])], [Buffer.alloc(2_000, 0x0a)]])(
    'is none: %#',
    (bytes) => {
      expect(() => check.decode(bytes)).toThrow(/HealthCheckRequest|more than 1024 bytes/);
    },
  );
});
