// Sorts a graph of tasks into an order in which they can be done.

export interface Node {
  readonly id: string;
  readonly dependsOn: readonly string[];
}

/**
 * The same tasks, each after all its dependencies, else in the given order. If there is no such order, returns what is
 * wrong with the graph.
 */
export function inOrder<T extends Node>(tasks: readonly T[]): readonly T[] | string {
  const byId = new Map(tasks.map((task) => [task.id, task]));
  if (byId.size < tasks.length) return 'two tasks have one id';
  const ordered: T[] = [];
  const done = new Set<string>();
  let left = tasks;
  while (left.length > 0) {
    const ready = left.find(({ dependsOn }) => dependsOn.every((id) => done.has(id)));
    if (ready === undefined) return problemOf(left, byId);
    done.add(ready.id);
    ordered.push(ready);
    left = left.filter((task) => task !== ready);
  }
  return ordered;
}

function problemOf(left: readonly Node[], byId: ReadonlyMap<string, Node>): string {
  for (const { id, dependsOn } of left) {
    const missing = dependsOn.find((each) => !byId.has(each));
    if (missing !== undefined) return `task "${id}" depends on "${missing}", which is no task`;
  }
  return `the tasks ${left.map(({ id }) => `"${id}"`).join(', ')} wait for each other`;
}
