// An input for an engine's stream; its answer is ignored.
import { Cancel } from '../../services/core/cancel.ts';
import type { CallContext, InferenceInput } from '../../services/core/inference.ts';
import { type InferJob, LoneJob } from '../../services/engines/sidecar/infer-job.ts';

const nothing = (): void => undefined;

export function fakeJob(id: number, input: InferenceInput, limits: Partial<CallContext> = {}): InferJob {
  const context = { deadlineMs: Infinity, signal: new Cancel(), ...limits };
  const job = new LoneJob(input, context, { abandon: nothing }, nothing, nothing);
  job.id = id;
  return job;
}
