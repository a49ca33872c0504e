// One engine that lies beside honest ones: no request fails, and none gets a wrong answer.
import { describe, expect, it } from '@jest/globals';
import { silent } from '../../test/fakes/fake-parts.ts';
import { build, context, engine, kindOf, question, version } from '../../test/fakes/router-parts.ts';
import { ERROR_KINDS, type ErrorKind, RouterError } from '../core/errors.ts';
import type { CallContext, Inference, InferenceInput } from '../core/inference.ts';
import type { StrategyName } from '../strategies/registry.ts';
import { Audit } from './audit.ts';
import type { Dispute } from './dispute.ts';

const CLAIMS = (Object.keys(ERROR_KINDS) as ErrorKind[]).filter((kind) => ERROR_KINDS[kind].fromEngine === 'claim');

/** Rejects when the request ends, and not before. */
function hang(_input: InferenceInput, { signal, deadlineMs }: CallContext): Promise<Inference> {
  return new Promise((_, reject) => {
    const leftMs = Math.min(deadlineMs - performance.now(), 60_000);
    const timer = setTimeout(() => reject(new RouterError('DEADLINE_EXCEEDED', 'late')), leftMs).unref();
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      reject(RouterError.from(signal.reason));
    });
  });
}

describe.each<StrategyName>(['ROUND_ROBIN', 'FASTEST', 'HEDGED', 'REDUNDANT'])('%s', (strategy) => {
  it.each(CLAIMS)('fails no request if one of three engines refuses everything with %s', async (kind) => {
    const [a, b, c] = [engine('a'), engine('b'), engine('c')];
    a.behaviour = () => Promise.reject(new RouterError(kind, 'a lie'));
    const router = build([a, b, c], [version(1)], { strategy });
    const kinds = new Set<string>();
    for (let n = 0; n < 100; n += 1) kinds.add(await kindOf(router.reason(question(), context())));
    expect([...kinds]).toEqual(['answered']);
  });

  it('fails no request if one of three engines gives malformed answers', async () => {
    const [a, b, c] = [engine('a'), engine('b'), engine('c')];
    const metadata = { malformed: 'too short' };
    a.behaviour = () => Promise.reject(new RouterError('ENGINE_FAULT', 'short', { metadata }));
    const router = build([a, b, c], [version(1)], { strategy });
    const kinds = new Set<string>();
    for (let n = 0; n < 100; n += 1) kinds.add(await kindOf(router.reason(question(), context())));
    expect([...kinds]).toEqual(['answered']);
  });

  it('returns a refusal that honest engines agree on', async () => {
    const engines = ['a', 'b', 'c'].map(engine);
    const metadata = { step: '3', node: 'lif1' };
    for (const each of engines.slice(1)) {
      each.behaviour = () => Promise.reject(new RouterError('NON_FINITE', 'overflow', { metadata }));
    }
    const router = build(engines.slice(1), [version(1)], { strategy, vote: { ...VOTE, participants: 2 } });
    await expect(router.reason(question(), context())).rejects.toMatchObject({
      kind: 'NON_FINITE',
      metadata: { ...metadata, confirmed_by: expect.stringMatching(/^[bc], [bc]$/) as unknown },
    });
  });
});

const VOTE = (await import('../config/vote.ts')).voteSchema.parse({});

describe('an answer that another engine refused', () => {
  it('is not cached', async () => {
    const [a, b] = [engine('a'), engine('b')];
    a.behaviour = () => Promise.reject(new RouterError('NON_FINITE', 'overflow'));
    const router = build([a, b]);
    const statuses = [];
    for (let n = 0; n < 3; n += 1) {
      statuses.push((await router.reason(question({ cache: 'USE' }), context())).cache);
    }
    expect(statuses).toEqual(['MISS', 'MISS', 'HIT']); // the second request went to b first, and no engine refused it
  });

  it('is audited at any rate', async () => {
    const disputes: Dispute[] = [];
    const [a, b, c] = [engine('a'), engine('b'), engine('c')];
    a.behaviour = () => Promise.reject(new RouterError('NON_FINITE', 'overflow'));
    const audit = new Audit({ rate: 0, observer: silent, onDispute: (dispute) => disputes.push(dispute) });
    await build([a, b, c], [version(1)], { audit }).reason(question(), context());
    await new Promise((resolve) => setImmediate(resolve));
    expect(disputes).toMatchObject([{ verdict: 'AUDIT_DISPUTED', wrong: ['a'], right: { stateDigest: 99n } }]);
  });
});

describe('HEDGED', () => {
  it('fails none of 300 requests if two of three engines hang', async () => {
    const engines = [engine('a'), engine('b'), engine('c')];
    for (const each of engines.slice(0, 2)) each.behaviour = hang;
    const router = build(engines, [version(1)], { strategy: 'HEDGED', attemptTimeoutMs: 10_000 });
    const kinds = new Set<string>();
    for (let n = 0; n < 300; n += 1) {
      const deadlineMs = performance.now() + 2_000;
      kinds.add(await kindOf(router.reason(question(), { ...context(), deadlineMs })));
    }
    expect([...kinds]).toEqual(['answered']);
  }, 60_000);
});
