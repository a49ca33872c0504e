import { describe, expect, it } from '@jest/globals';
import { RouterError } from '../../core/errors.ts';
import type { Pending } from './corpus-searcher.ts';
import { type LabelOptions, type PassageStore, labelPassages } from './label-passages.ts';

/** A store of the passages "p0", "p1", … in memory. */
function storeOf(total: number): PassageStore & { readonly labels: Map<string, string> } {
  const labels = new Map<string, string>();
  const texts = Array.from({ length: total }, (_, k) => `p${k}`);
  return {
    labels,
    pending: async (corpus, _model, count): Promise<Pending> => {
      const left = texts.filter((text) => !labels.has(text));
      return { corpus, texts: left.slice(0, count), done: total - left.length, total };
    },
    label: async (_corpus, _model, added) => added.forEach((label, text) => labels.set(text, label)),
  };
}

const full = new RouterError('ROUTER_FULL', 'full');

describe('labelPassages', () => {
  const run = (
    store: PassageStore,
    label: (text: string) => Promise<string>,
    { signal = new AbortController().signal, onProgress = () => undefined }: Partial<LabelOptions> = {},
  ): Promise<number> => labelPassages(store, 'notes', { key: 'm/1', label }, { signal, onProgress, retryMs: 0 });

  it('labels each passage and reports progress', async () => {
    const store = storeOf(150);
    const seen: number[] = [];
    const onProgress = (done: number): void => void seen.push(done);
    expect(await run(store, async (text) => `label of ${text}`, { onProgress })).toBe(150);
    expect([store.labels.size, store.labels.get('p149'), seen]).toEqual([150, 'label of p149', [0, 64, 128, 150]]);
  });

  it('waits for a store that is temporarily unavailable', async () => {
    const store = storeOf(1);
    const away = new RouterError('CORPUS_UNAVAILABLE', 'away');
    let failures = 2;
    const pending: typeof store.pending = (...request) =>
      failures-- > 0 ? Promise.reject(away) : store.pending(...request);
    expect(await run({ ...store, pending }, async () => 'a')).toBe(1);
  });

  it('retries after a temporary failure', async () => {
    const store = storeOf(1);
    let calls = 0;
    await run(store, async () => {
      calls += 1;
      if (calls < 3) throw full;
      return 'a';
    });
    expect([calls, store.labels.get('p0')]).toEqual([3, 'a']);
  });

  it('fails if every attempt fails, and keeps its labels', async () => {
    const store = storeOf(65);
    const work = run(store, async (text) => (text === 'p64' ? Promise.reject(full) : 'a'));
    await expect(work).rejects.toBe(full);
    expect(store.labels.size).toBe(64);
  });

  it('gives an empty label to a passage without words', async () => {
    const store = storeOf(1);
    await run(store, () => Promise.reject(new RouterError('TEXT_EMPTY', 'no words')));
    expect(store.labels.get('p0')).toBe('');
  });

  it('stops when it is cancelled and continues there the next time', async () => {
    const store = storeOf(200);
    const cancel = new AbortController();
    const why = new RouterError('CANCELLED', 'enough');
    const first = run(store, async () => 'a', {
      signal: cancel.signal,
      onProgress: (done) => {
        if (done === 64) cancel.abort(why);
      },
    });
    await expect(first).rejects.toBe(why);
    const texts: string[] = [];
    await run(store, async (text) => (texts.push(text), 'a'));
    expect([texts.length, texts[0]]).toEqual([136, 'p64']);
  });
});
