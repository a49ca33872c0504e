import { expect, it } from '@jest/globals';
import { GetMetricsResponse } from '../../generated/tandem/v1/metrics.ts';
import { plainJson } from './plain-json.ts';

it('plainJson uses the field names of the proto files, writes counts as numbers and keeps map keys', () => {
  const metrics = {
    requests: 5n,
    requestTypes: [{ type: 'Reason', count: 5n, errorsByReason: { 'NOT_FOUND/UNKNOWN_MODEL': 2n } }],
  };
  const bytes = GetMetricsResponse.encode(GetMetricsResponse.fromPartial({ metrics })).finish();
  expect(plainJson(GetMetricsResponse, bytes)).toEqual({
    metrics: {
      requests: 5,
      request_types: [{ type: 'Reason', count: 5, errors_by_reason: { 'NOT_FOUND/UNKNOWN_MODEL': 2 } }],
    },
  });
});
