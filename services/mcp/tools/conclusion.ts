// The router's answer in the form of the tools.
import { z } from 'zod';
import { hex64 } from '../../core/hex.ts';
import type { ReasonResponse } from '../../generated/tandem/v1/reasoning.ts';
import { cacheStatusToJSON, gradeToJSON, strategyToJSON } from '../../generated/tandem/v1/types.ts';
import { withoutPrefix } from '../../core/enum-name.ts';

export const conclusionFields = {
  label: z.string().describe('The most likely label. Empty: the model has no labels.'),
  label_index: z.int().describe('Its index in the labels of the model.'),
  confidence: z.number().describe('Probability of the label, 0 to 1.'),
  model: z.string(),
  model_version: z.int(),
  engine: z.string().describe('The engine that computed the answer.'),
  strategy: z.string().describe('How engines were chosen.'),
  cache: z.string().describe('The result of the cache look-up.'),
  grade: z.string().describe('How far the answer was checked: UNANIMOUS, MAJORITY, PLURALITY, SINGLE or STALE.'),
  state_digest: z.string().describe('Fingerprint of the run, 16 hexadecimal digits; equal on every engine.'),
  total_spikes: z.number(),
  trace_id: z.string(),
  processing_time_ms: z.number(),
};

export type Conclusion = z.infer<z.ZodObject<typeof conclusionFields>>;

export function toConclusion(response: ReasonResponse): Conclusion {
  const { label, labelIndex, confidence, model, modelVersion, traceId, processingTimeMs } = response;
  return {
    ...{ label, confidence, model, label_index: labelIndex, model_version: modelVersion },
    engine: response.engine?.engineId ?? '',
    strategy: withoutPrefix(strategyToJSON(response.strategy), 'STRATEGY_'),
    cache: withoutPrefix(cacheStatusToJSON(response.cache), 'CACHE_STATUS_'),
    grade: withoutPrefix(gradeToJSON(response.grade), 'GRADE_'),
    state_digest: hex64(response.stateDigest),
    total_spikes: Number(response.totalSpikes),
    ...{ trace_id: traceId, processing_time_ms: processingTimeMs },
  };
}
