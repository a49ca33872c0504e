// Completion values that come from the running router or the shipped model.
import type { Command } from 'commander';
import { call } from './client.ts';
import { sampleNames } from './input.ts';

const VALUES = ['engines', 'models', 'samples', 'sessions'] as const;
export type Values = (typeof VALUES)[number];

const LISTS: Readonly<Record<Values, (command: Command) => Promise<string[]>>> = {
  engines: async (command) => {
    const { EngineAdminServiceClient } = await import('../generated/tandem/v1/engines.ts');
    const { engines } = await call(command, EngineAdminServiceClient, (client) => client.listEngines, {});
    return engines.map(({ id }) => id);
  },
  models: async (command) => {
    const { ModelServiceClient } = await import('../generated/tandem/v1/models.ts');
    const { models } = await call(command, ModelServiceClient, (client) => client.listModels, {});
    return models.map(({ name }) => name);
  },
  samples: () => Promise.resolve(sampleNames()),
  sessions: async (command) => {
    const { SessionServiceClient } = await import('../generated/tandem/v1/sessions.ts');
    const request = { pageSize: 0, pageToken: '' };
    const { sessions } = await call(command, SessionServiceClient, (client) => client.listSessions, request);
    return sessions.map(({ id }) => id);
  },
};

export function isValues(word: string): word is Values {
  return (VALUES as readonly string[]).includes(word);
}

/** Sorted, without duplicates. Names that a shell would split are left out. */
export async function valuesFor(values: Values, command: Command): Promise<string[]> {
  const names = await LISTS[values](command);
  return [...new Set(names)].filter((name) => /^[\w.@:/-]+$/.test(name)).sort();
}
