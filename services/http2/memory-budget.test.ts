import { expect, test } from '@jest/globals';
import { MemoryBudget, type MemoryHolder } from './memory-budget.ts';

class Holder implements MemoryHolder {
  bytesHeld: number;
  readonly closed: string[] = [];
  constructor(bytesHeld: number) {
    this.bytesHeld = bytesHeld;
  }
  close(_code: number, text: string, budget: string): void {
    this.closed.push(`${budget}: ${text}`);
  }
}

test('the connection with the most memory is closed if all together exceed the limit', () => {
  const budget = new MemoryBudget(100);
  const [small, large] = [new Holder(20), new Holder(70)];
  budget.report(small);
  budget.report(large);
  expect([...small.closed, ...large.closed]).toEqual([]);
  small.bytesHeld = 40;
  budget.report(small);
  expect(small.closed).toEqual([]);
  expect(large.closed).toEqual([
    'memory: all connections hold more than 100 bytes together, and this one holds most (70)',
  ]);
  expect(budget.bytes).toBe(40);
});

test('a removed connection is not counted', () => {
  const budget = new MemoryBudget(100);
  const holder = new Holder(60);
  budget.report(holder);
  budget.remove(holder);
  expect(budget.bytes).toBe(0);
});
