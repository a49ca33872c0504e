import { describe, expect, it } from '@jest/globals';
import { Detail } from '../generated/tandem/v1/types.ts';
import { toDetail } from './enums.ts';

describe('how much to tell of a run', () => {
  it.each([
    [Detail.DETAIL_UNSPECIFIED, 'SUMMARY'],
    [Detail.DETAIL_SUMMARY, 'SUMMARY'],
    [Detail.DETAIL_LAYERS, 'LAYERS'],
    [Detail.DETAIL_RASTER, 'RASTER'],
  ])('is for %d %s', (detail, name) => {
    expect(toDetail(detail)).toBe(name);
  });

  it.each([4, -1, 2_147_483_647, Detail.UNRECOGNIZED])('is not known for %d', (value) => {
    expect(() => toDetail(value as Detail)).toThrow(
      `detail ${value} is not known; send one of DETAIL_SUMMARY, DETAIL_LAYERS, DETAIL_RASTER`,
    );
  });
});
