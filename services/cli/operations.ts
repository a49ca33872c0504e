import { Command } from 'commander';
import {
  CancelOperationResponse,
  ListOperationsResponse,
  type Operation,
  OperationServiceClient,
  operationStateToJSON,
} from '../generated/tandem/v1/operations.ts';
import { callAdmin, call, print } from './client.ts';
import { table } from './table.ts';
import { plain } from './words.ts';

const HEAD = ['OPERATION', 'SUBJECT', 'STATE', 'STARTED', 'DONE', 'RESULT'];

export function operationsCommand(): Command {
  return new Command('operations')
    .addHelpText('after', '\nExample: npx tandem operations cancel learn-0123456789ab')
    .addCommand(cancelCommand())
    .action(async (_options: unknown, command: Command) => {
      const response = await call(command, OperationServiceClient, (client) => client.listOperations, { kind: '' });
      print(command, ListOperationsResponse.toJSON(response), () => table(HEAD, response.operations.map(row)));
    });
}

function cancelCommand(): Command {
  return new Command('cancel')
    .description('Ask an operation to end.')
    .argument('<id>', 'the operation')
    .addHelpText('after', '\nExample: npx tandem operations cancel 3f2a')
    .action(async (id: string, _options: unknown, command: Command) => {
      const response = await callAdmin(command, OperationServiceClient, (client) => client.cancelOperation, { id });
      print(command, CancelOperationResponse.toJSON(response), () => table(HEAD, [row(response.operation!)]));
    });
}

function row({ id, subject, state, startedMs, done, total, result, error }: Operation): string[] {
  const name = plain(operationStateToJSON(state), 'OPERATION_STATE_');
  const started = new Date(Number(startedMs)).toISOString();
  return [id, subject, name, started, total > 0n ? `${done} of ${total}` : String(done), result || error || '-'];
}
