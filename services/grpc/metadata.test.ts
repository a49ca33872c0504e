import { describe, expect, it } from '@jest/globals';
import { Metadata, malformedBinary } from './metadata.ts';

describe('Metadata', () => {
  it('keeps every value of a name, in order', () => {
    const metadata = new Metadata(['a', '1', 'b', '2', 'a', '3']);
    expect([metadata.get('a'), metadata.first('a'), metadata.get('c'), metadata.first('c')]).toEqual([
      ...[['1', '3'], '1', [], undefined],
    ]);
  });

  it('sends bytes as base64 without padding', () => {
    expect(Metadata.of({ 'x-bin': Buffer.from([1, 2, 3, 4]) }).list).toEqual(['x-bin', 'AQIDBA']);
  });

  it('reads base64 with and without padding, also joined with commas', () => {
    const metadata = new Metadata(['x-bin', 'AQIDBA==,AQ', 'x-bin', 'Ag']);
    expect(metadata.getBinary('x-bin').map((bytes) => [...bytes])).toEqual([[1, 2, 3, 4], [1], [2]]);
  });

  it.each([
    ['grpc-anything', 'x', /reserved/],
    ['te', 'x', /reserved/],
    ['content-type', 'x', /reserved/],
    [':path', 'x', /lower-case/],
    ['Upper', 'x', /lower-case/],
    ['', 'x', /lower-case/],
    ['x', 'line\nbreak', /printable ASCII/],
    ['x', 'ü', /printable ASCII/],
    ['x-bin', 'text', /bytes need a name/],
    ['x', Buffer.from('bytes'), /bytes need a name/],
  ])('refuses to send %j: %j', (name, value, message) => {
    expect(() => Metadata.of({ [name]: value })).toThrow(message);
  });

  it('accepts the details of a status', () => {
    expect(Metadata.of({ 'grpc-status-details-bin': Buffer.from([8, 1]) }).list).toHaveLength(2);
  });

  it.each([
    [['x-bin', 'AQID'], undefined],
    [['x-bin', ''], undefined],
    [['x-bin', 'AQ, AQI='], undefined],
    [['x', '!!'], undefined],
    [['y', '', 'x-bin', '!!'], 'x-bin'],
    [['x-bin', 'AQIDB'], 'x-bin'],
    [['x-bin', 'A=QI'], 'x-bin'],
  ])('malformedBinary of %j returns the name of the invalid value: %j', (list, name) => {
    expect(malformedBinary(list)).toBe(name);
  });
});
