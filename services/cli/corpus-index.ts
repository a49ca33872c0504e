// Starts the indexing of a corpus by the router, and waits for it.
import { setTimeout as delay } from 'node:timers/promises';
import type { Command } from 'commander';
import { AgentServiceClient } from '../generated/tandem/v1/agents.ts';
import {
  type Operation,
  OperationServiceClient,
  OperationState,
  operationStateToJSON,
} from '../generated/tandem/v1/operations.ts';
import { callAdmin } from './client.ts';
import { Progress } from './progress.ts';
import { plain } from './words.ts';

const POLL_MS = 200;

export interface Indexed {
  /** Id of the operation; empty: none was started. */
  readonly operation: string;
  /** Example: "succeeded". */
  readonly state: string;
  readonly result: string;
}

/** Rejects with the client library's error if the router refuses or does not answer. */
export async function indexCorpus(command: Command, corpus: string, wait: boolean): Promise<Indexed> {
  const started = await callAdmin(command, AgentServiceClient, (client) => client.indexCorpus, { corpus });
  let operation = await read(command, started.operationId);
  const progress = new Progress({
    share: () => (operation.total === 0n ? undefined : Number(operation.done) / Number(operation.total)),
  });
  while (wait && operation.state === OperationState.OPERATION_STATE_RUNNING) {
    progress.show(Number(operation.done));
    await delay(POLL_MS);
    operation = await read(command, started.operationId);
  }
  progress.clear();
  const { id, state, result, error } = operation;
  const name = plain(operationStateToJSON(state), 'OPERATION_STATE_');
  return { operation: id, state: name, result: result || error };
}

export function indexedText(corpus: string, { operation, state, result }: Indexed): string {
  if (operation === '') return `not indexed (${result}); once the router answers: npx tandem corpus index ${corpus}`;
  if (result === '') return `indexing is ${state}: npx tandem operations, or npx tandem operations cancel ${operation}`;
  return state === 'succeeded' ? result : `indexing is ${state} (${operation}): ${result}`;
}

async function read(command: Command, id: string): Promise<Operation> {
  const response = await callAdmin(command, OperationServiceClient, (client) => client.getOperation, { id });
  return response.operation!;
}
