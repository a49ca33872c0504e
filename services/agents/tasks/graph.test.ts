import { expect, it } from '@jest/globals';
import { inOrder } from './graph.ts';

const task = (id: string, ...dependsOn: string[]) => ({ id, dependsOn });

it('inOrder puts tasks after their dependencies and otherwise keeps their order', () => {
  expect(inOrder([task('c', 'b'), task('x'), task('b', 'a'), task('a')])).toEqual([
    task('x'),
    task('a'),
    task('b', 'a'),
    task('c', 'b'),
  ]);
});

it.each([
  ['a cycle', [task('a', 'b'), task('b', 'a'), task('c')], 'the tasks "a", "b" wait for each other'],
  ['a task that waits for itself', [task('a', 'a')], 'the tasks "a" wait for each other'],
  ['an unknown task', [task('a', 'z')], 'task "a" depends on "z", which is no task'],
  ['a repeated id', [task('a'), task('a')], 'two tasks have one id'],
])('inOrder reports %s', (_what, tasks, problem) => {
  expect(inOrder(tasks)).toBe(problem);
});
