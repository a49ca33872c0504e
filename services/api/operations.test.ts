import { beforeEach, describe, expect, it } from '@jest/globals';
import { callMethod, unaryOptions } from '../../test/fakes/call-method.ts';
import { refusalOf } from '../../test/support/refusal.ts';
import { RouterError } from '../core/errors.ts';
import { OperationServiceService, OperationState } from '../generated/tandem/v1/operations.ts';
import type { Method } from '../grpc/method.ts';
import { Operations } from '../operations/operations.ts';
import { operationMethods } from './operations.ts';

const { listOperations, getOperation, cancelOperation } = OperationServiceService;

let operations: Operations;
let methods: Method[];

beforeEach(() => {
  operations = new Operations({ read: () => [], write: () => undefined });
  methods = operationMethods(operations, unaryOptions());
});

describe('OperationService', () => {
  it('lists the operations of a kind, the newest first', async () => {
    const ids = ['learn', 'index', 'learn'].map((kind) => operations.begin(kind, 's', () => undefined).id);
    const list = async (kind: string): Promise<string[]> => {
      const answer = await callMethod(methods, listOperations, { kind });
      return answer.operations.map(({ id }) => id);
    };
    expect(await list('learn')).toEqual([ids[2], ids[0]]);
    expect(await list('')).toEqual([...ids].reverse());
  });

  it('returns every field of an operation', async () => {
    const running = operations.begin('learn', 'ann', () => undefined);
    running.progress(3, 10);
    running.fail(new RouterError('STUDENT_FULL', 'no room'));
    const { startedMs, endedMs } = operations.get(running.id);
    expect((await callMethod(methods, getOperation, { id: running.id })).operation).toEqual({
      ...{ id: running.id, kind: 'learn', subject: 'ann', state: OperationState.OPERATION_STATE_FAILED },
      ...{ startedMs: BigInt(startedMs), endedMs: BigInt(endedMs), done: 3n, total: 10n },
      ...{ result: '', error: 'no room' },
    });
  });

  it('cancels an operation, which then ends by itself', async () => {
    const running = operations.begin('learn', 'ann', () => running.fail(new RouterError('CANCELLED', 'as asked')));
    const { operation } = await callMethod(methods, cancelOperation, { id: running.id });
    expect(operation).toMatchObject({ id: running.id, state: OperationState.OPERATION_STATE_CANCELLED });
  });

  it.each([
    ['getOperation', getOperation],
    ['cancelOperation', cancelOperation],
  ])('refuses an id that is not known: %s', async (_, rpc) => {
    const refusal = await refusalOf(callMethod(methods, rpc as typeof getOperation, { id: 'learn-1' }));
    expect(refusal).toMatchObject({ reason: 'UNKNOWN_OPERATION', field: 'id' });
  });
});
