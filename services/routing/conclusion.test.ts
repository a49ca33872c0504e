import { describe, expect, it } from '@jest/globals';
import { fakeInference } from '../../test/fakes/fake-engine.ts';
import { conclude } from './conclusion.ts';

const labels = ['cat', 'dog', 'owl'];

describe('conclude', () => {
  it('returns the label of the largest count, with softmax at the model’s temperature', () => {
    const result = conclude(fakeInference({ spikeCounts: [1, 5, 3] }), { from: 'spike_count', labels, temperature: 2 });
    const weights = [1, 5, 3].map((count) => Math.exp(count / 2));
    const total = weights.reduce((a, b) => a + b);
    expect([result.label, result.labelIndex]).toEqual(['dog', 1]);
    result.scores.forEach((score, k) => expect(score).toBeCloseTo((weights[k] ?? 0) / total, 12));
    expect(result.confidence).toBe(result.scores[1]);
  });

  it('reads the potentials if the model says so', () => {
    const potentials = Buffer.from(new Float32Array([0.5, -2, 0.75]).buffer);
    const spec = { from: 'last_potential', labels, temperature: 1 } as const;
    expect(conclude(fakeInference({ potentials }), spec).label).toBe('owl');
  });

  it('returns the first label if scores are equal', () => {
    const spec = { from: 'spike_count', labels, temperature: 1 } as const;
    expect(conclude(fakeInference({ spikeCounts: [4, 4, 4] }), spec).labelIndex).toBe(0);
  });

  it('returns finite scores for huge counts, and no label if the model has none', () => {
    const spec = { from: 'spike_count', labels: [], temperature: 0.01 } as const;
    const result = conclude(fakeInference({ spikeCounts: [100_000, 0] }), spec);
    expect([result.confidence, result.label]).toEqual([1, '']);
  });
});
