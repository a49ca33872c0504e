// What events can be about. Users' topics begin with "user.", so that a new one of the router never takes a user's name.

export const SYSTEM_TOPICS = [
  'engine',
  'breaker',
  'quarantine',
  'dispute',
  'model',
  'alert',
  'config',
  'security',
  'session',
] as const;

export type SystemTopic = (typeof SYSTEM_TOPICS)[number];

/** The topics that share one bound, and one count: each of the router's own, and all of the users'. */
export type TopicGroup = SystemTopic | 'user';

export const TOPIC_GROUPS: readonly TopicGroup[] = [...SYSTEM_TOPICS, 'user'];

export function isSystemTopic(topic: string): topic is SystemTopic {
  return (SYSTEM_TOPICS as readonly string[]).includes(topic);
}

export function groupOf(topic: string): TopicGroup {
  return isSystemTopic(topic) ? topic : 'user';
}

/** `wanted` holds names, and beginnings of names followed by "*". Empty: all. */
export function isWanted(wanted: readonly string[], topic: string): boolean {
  return (
    wanted.length === 0 ||
    wanted.some((each) => (each.endsWith('*') ? topic.startsWith(each.slice(0, -1)) : topic === each))
  );
}

/** Whether any topic of a group can be wanted. */
export function mayWant(wanted: readonly string[], group: TopicGroup): boolean {
  if (group !== 'user') return isWanted(wanted, group);
  const isUsers = (each: string): boolean => each.startsWith('user.') || isWanted([each], 'user.');
  return wanted.length === 0 || wanted.some(isUsers);
}
