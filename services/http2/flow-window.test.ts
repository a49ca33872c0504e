import { expect, test } from '@jest/globals';
import { ReceiveWindow } from './flow-window.ts';

test('a peer that sends more than the window is detected', () => {
  const window = new ReceiveWindow(10);
  expect([window.receive(10), window.receive(1)]).toEqual([true, false]);
});

test('consumed bytes are announced in batches of half a window', () => {
  const window = new ReceiveWindow(10);
  window.receive(10);
  expect([window.consume(4), window.held]).toEqual([0, 6]);
  expect([window.consume(1), window.held]).toEqual([5, 5]);
  expect([window.receive(5), window.receive(1)]).toEqual([true, false]);
});
