import { describe, expect, it } from '@jest/globals';
import { BatchRoom } from './batch-room.ts';

describe('BatchRoom', () => {
  it('counts each item of a batch and refuses items above the limit', () => {
    const room = new BatchRoom();
    room.enter(60, 100);
    room.enter(40, 100);
    expect(() => room.enter(1, 100)).toThrow(
      expect.objectContaining({
        kind: 'ROUTER_FULL',
        retryAfterMs: 100,
        message: expect.stringMatching(/hold 100 requests/),
      }),
    );
  });

  it('frees the capacity when a batch leaves', () => {
    const room = new BatchRoom();
    const leave = room.enter(100, 100);
    leave();
    expect(() => room.enter(100, 100)).not.toThrow();
  });

  it('accepts one batch of any size if no other is open', () => {
    const room = new BatchRoom();
    const leave = room.enter(1_024, 100);
    expect(() => room.enter(1, 100)).toThrow('no room for the 1');
    leave();
    expect(() => room.enter(1, 100)).not.toThrow();
  });
});
