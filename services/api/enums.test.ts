import { describe, expect, it } from '@jest/globals';
import { CacheMode, Detail, Strategy } from '../generated/tandem/v1/types.ts';
import { toCacheMode, toDetail, toStrategyName } from './enums.ts';

describe('toDetail', () => {
  it.each([
    [Detail.DETAIL_UNSPECIFIED, 'SUMMARY'],
    [Detail.DETAIL_SUMMARY, 'SUMMARY'],
    [Detail.DETAIL_LAYERS, 'LAYERS'],
    [Detail.DETAIL_RASTER, 'RASTER'],
    [Detail.DETAIL_READOUT, 'READOUT'],
  ])('maps %d to %s', (detail, name) => {
    expect(toDetail(detail)).toBe(name);
  });

  it.each([5, -1, 2_147_483_647, Detail.UNRECOGNIZED])('refuses the unknown value %d', (value) => {
    expect(() => toDetail(value as Detail)).toThrow(
      `detail ${value} is not known; send one of DETAIL_SUMMARY, DETAIL_LAYERS, DETAIL_RASTER, DETAIL_READOUT`,
    );
  });
});

describe('toCacheMode', () => {
  it.each([
    [CacheMode.CACHE_MODE_UNSPECIFIED, 'USE'],
    [CacheMode.CACHE_MODE_USE, 'USE'],
    [CacheMode.CACHE_MODE_BYPASS, 'BYPASS'],
    [CacheMode.CACHE_MODE_REFRESH, 'REFRESH'],
  ])('maps %d to %s', (mode, name) => {
    expect(toCacheMode(mode)).toBe(name);
  });

  it.each([4, -1, CacheMode.UNRECOGNIZED])('refuses the unknown value %d', (value) => {
    expect(() => toCacheMode(value as CacheMode)).toThrow(`cache ${value} is not known`);
  });
});

describe('toStrategyName', () => {
  it.each([
    [Strategy.STRATEGY_UNSPECIFIED, undefined],
    [Strategy.STRATEGY_ROUND_ROBIN, 'ROUND_ROBIN'],
    [Strategy.STRATEGY_HEDGED, 'HEDGED'],
  ])('maps %d to %s', (strategy, name) => {
    expect(toStrategyName(strategy)).toBe(name);
  });

  it.each([99, -1, Strategy.UNRECOGNIZED])('refuses the unknown value %d', (value) => {
    expect(() => toStrategyName(value as Strategy)).toThrow(
      `strategy ${value} is not known; send one of STRATEGY_ROUND_ROBIN, STRATEGY_LOCAL_FIRST,`,
    );
  });
});
