import { describe, expect, it } from '@jest/globals';
import { readOtel, sidecarEnvironment } from './otel.ts';

describe('OpenTelemetry’s variables', () => {
  it('export nothing without an endpoint', () => {
    expect(readOtel(0.01, {}).export).toBeUndefined();
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318' };
    expect(readOtel(0.01, env).export).toMatchObject({ endpoint: 'http://collector:4318', protocol: 'http/protobuf' });
    expect(readOtel(0.01, { ...env, OTEL_SDK_DISABLED: 'TRUE' }).export).toBeUndefined();
    expect(readOtel(0.01, { ...env, OTEL_TRACES_EXPORTER: 'none' }).export).toBeUndefined();
  });

  it('for traces override those for all signals', () => {
    const env = {
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://all:4318',
      OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://traces:4317',
      OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: 'grpc',
    };
    expect(readOtel(0.01, env).export).toMatchObject({ endpoint: 'http://traces:4317', protocol: 'grpc' });
  });

  it.each<[string, string | undefined, { isParentBased: boolean; ratio: number }]>([
    ['always_on', undefined, { isParentBased: false, ratio: 1 }],
    ['always_off', undefined, { isParentBased: false, ratio: 0 }],
    ['traceidratio', '0.5', { isParentBased: false, ratio: 0.5 }],
    ['parentbased_always_on', undefined, { isParentBased: true, ratio: 1 }],
    ['parentbased_always_off', '0.5', { isParentBased: true, ratio: 0 }],
    ['parentbased_traceidratio', '0.25', { isParentBased: true, ratio: 0.25 }],
    ['parentbased_traceidratio', undefined, { isParentBased: true, ratio: 0.01 }],
    ['', '0.5', { isParentBased: true, ratio: 0.5 }],
  ])('select the sampler: %s %s', (name, ratio, expected) => {
    const env = { OTEL_TRACES_SAMPLER: name, OTEL_TRACES_SAMPLER_ARG: ratio };
    expect(readOtel(0.01, env).sampler).toEqual(expected);
  });

  it('with invalid values are ignored with a warning', () => {
    const {
      sampler,
      export: sent,
      warnings,
    } = readOtel(0.01, {
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318',
      OTEL_EXPORTER_OTLP_PROTOCOL: 'carrier pigeon',
      OTEL_TRACES_SAMPLER: 'sometimes',
      OTEL_TRACES_SAMPLER_ARG: '7',
      OTEL_BSP_MAX_QUEUE_SIZE: '-1',
    });
    expect([sampler, sent?.protocol, sent?.maxQueue]).toEqual([undefined, 'http/protobuf', 2_048]);
    expect(warnings).toHaveLength(4);
    expect(warnings.find((line) => line.includes('SAMPLER:'))).toBe(
      'variable OTEL_TRACES_SAMPLER: "sometimes" is ignored; it must be one of always_on, parentbased_always_on, always_off, parentbased_always_off, traceidratio, parentbased_traceidratio',
    );
  });
});

describe('sidecarEnvironment', () => {
  const env = {
    PATH: '/bin',
    OTEL_SERVICE_NAME: 'my-router',
    OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment=test',
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://collector:4317',
    OTEL_EXPORTER_OTLP_HEADERS: 'authorization=secret',
  };

  it('sends spans to the router and keeps common variables', () => {
    expect(sidecarEnvironment('http://127.0.0.1:4999', 'abc', env)).toEqual({
      PATH: '/bin',
      OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment=test',
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4999',
      OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc',
      OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20abc',
    });
  });

  it('is unchanged if the router accepts no spans', () => {
    expect(sidecarEnvironment(undefined, '', env)).toEqual(env);
  });

  it('leaves out the malloc settings of the router', () => {
    expect(
      sidecarEnvironment(undefined, '', { ...env, MALLOC_TRIM_THRESHOLD_: '1048576', MALLOC_ARENA_MAX: '1' }),
    ).toEqual(env);
  });
});
