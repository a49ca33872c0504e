import { describe, expect, it } from '@jest/globals';
import { BodyRoom } from './body-room.ts';

describe('BodyRoom', () => {
  it('has room up to the maximum for all peers, and half of it for one', () => {
    const room = new BodyRoom(100);
    expect([room.enter('a', 50), room.enter('a', 1), room.enter('b', 40), room.enter('c', 11)]).toEqual([
      true,
      false,
      true,
      false,
    ]);
    expect(room.enter('c', 10)).toBe(true);
  });

  it('has room again for what has left', () => {
    const room = new BodyRoom(100);
    for (const bytes of [30, 20]) room.enter('a', bytes);
    room.leave('a', 30);
    expect([room.enter('a', 31), room.enter('a', 30)]).toEqual([false, true]);
    for (const bytes of [30, 20]) room.leave('a', bytes);
    expect([room.enter('a', 50), room.enter('b', 50), room.enter('c', 1)]).toEqual([true, true, false]);
  });
});
