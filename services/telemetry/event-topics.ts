// Topics of events. Users' topics begin with "user.", so a new topic of the router never conflicts with one.

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

/** Topics that share a limit and a count: each topic of the router, and all users' topics together. */
export type TopicGroup = SystemTopic | 'user';

export const TOPIC_GROUPS: readonly TopicGroup[] = [...SYSTEM_TOPICS, 'user'];

export function isSystemTopic(topic: string): topic is SystemTopic {
  return (SYSTEM_TOPICS as readonly string[]).includes(topic);
}

export function groupOf(topic: string): TopicGroup {
  return isSystemTopic(topic) ? topic : 'user';
}

/** `wanted`: names, and prefixes followed by "*". Empty: all. */
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
