// OpenTelemetry's own variables, as far as the router goes by them itself; what concerns the connection to a collector
// (address, headers, certificates, timeout) the exporter reads. As their specification asks, a value that cannot be used
// is said to be so and otherwise ignored: https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
import type { Environment } from './environment.ts';

export type OtlpProtocol = 'grpc' | 'http/protobuf' | 'http/json';

export interface OtelSettings {
  /** Where spans are sent; undefined: nowhere. */
  readonly export: ExportSettings | undefined;
  /** Undefined: as the settings say. */
  readonly sampler: { readonly isParentBased: boolean; readonly ratio: number } | undefined;
  /** What was ignored, one line each. */
  readonly warnings: readonly string[];
}

export interface ExportSettings {
  readonly endpoint: string;
  readonly protocol: OtlpProtocol;
  /** Spans that may wait to be sent. */
  readonly maxQueue: number;
  /** Of them sent at once. */
  readonly maxBatch: number;
  /** They are sent at least so often. */
  readonly delayMs: number;
  /** Sending is given up after so long. */
  readonly timeoutMs: number;
}

const PROTOCOLS: readonly OtlpProtocol[] = ['grpc', 'http/protobuf', 'http/json'];

export function readOtel(defaultRatio: number, env: Environment = process.env): OtelSettings {
  const reader = new Reader(env);
  const isOff =
    reader.text('OTEL_SDK_DISABLED').toLowerCase() === 'true' || reader.text('OTEL_TRACES_EXPORTER') === 'none';
  const endpoint = reader.text('OTEL_EXPORTER_OTLP_TRACES_ENDPOINT') || reader.text('OTEL_EXPORTER_OTLP_ENDPOINT');
  return {
    sampler: readSampler(reader, defaultRatio),
    export: isOff || endpoint === '' ? undefined : readExport(reader, endpoint),
    warnings: reader.warnings,
  };
}

/**
 * For a sidecar that this router starts: the router's own, but for where spans are sent (to the router) and what is the
 * router's alone. `spanToken`: shows the router that spans come from an engine that it has started.
 */
export function sidecarEnvironment(
  spansTo: string | undefined,
  spanToken: string,
  env: Environment = process.env,
): Environment {
  // How much freed memory is kept is set for the router alone: see deploy/router.env.
  const { MALLOC_TRIM_THRESHOLD_: _, ...own } = env;
  if (spansTo === undefined) return own;
  const others = Object.entries(own).filter(([name]) => !/^OTEL_(EXPORTER_OTLP_|SERVICE_NAME$)/.test(name));
  return {
    ...Object.fromEntries(others),
    OTEL_EXPORTER_OTLP_ENDPOINT: spansTo,
    OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc',
    OTEL_EXPORTER_OTLP_HEADERS: `authorization=Bearer%20${spanToken}`,
  };
}

function readExport(reader: Reader, endpoint: string): ExportSettings {
  return {
    endpoint,
    protocol:
      reader.choice('OTEL_EXPORTER_OTLP_TRACES_PROTOCOL', PROTOCOLS) ??
      reader.choice('OTEL_EXPORTER_OTLP_PROTOCOL', PROTOCOLS) ??
      'http/protobuf',
    maxQueue: reader.number('OTEL_BSP_MAX_QUEUE_SIZE', 1, 1_000_000) ?? 2_048,
    maxBatch: reader.number('OTEL_BSP_MAX_EXPORT_BATCH_SIZE', 1, 100_000) ?? 512,
    delayMs: reader.number('OTEL_BSP_SCHEDULE_DELAY', 0, 3_600_000) ?? 5_000,
    timeoutMs: reader.number('OTEL_BSP_EXPORT_TIMEOUT', 1, 3_600_000) ?? 30_000,
  };
}

const SAMPLERS = ['always_on', 'always_off', 'traceidratio'].flatMap((name) => [name, `parentbased_${name}`]);

/** The ratio may be given without the sampler, for ours is a ratio by default. */
function readSampler(reader: Reader, defaultRatio: number): OtelSettings['sampler'] {
  const name = reader.choice('OTEL_TRACES_SAMPLER', SAMPLERS);
  const ratio = reader.number('OTEL_TRACES_SAMPLER_ARG', 0, 1);
  if (name === undefined) return ratio === undefined ? undefined : { isParentBased: true, ratio };
  const isParentBased = name.startsWith('parentbased_');
  if (name.endsWith('always_on')) return { isParentBased, ratio: 1 };
  if (name.endsWith('always_off')) return { isParentBased, ratio: 0 };
  return { isParentBased, ratio: ratio ?? defaultRatio };
}

class Reader {
  readonly warnings: string[] = [];
  readonly #env: Environment;

  constructor(env: Environment) {
    this.#env = env;
  }

  text(name: string): string {
    return (this.#env[name] ?? '').trim();
  }

  choice<T extends string>(name: string, choices: readonly T[]): T | undefined {
    const text = this.text(name);
    const chosen = choices.find((choice) => choice === text.toLowerCase());
    if (text !== '' && chosen === undefined) this.#ignored(name, text, `must be one of ${choices.join(', ')}`);
    return chosen;
  }

  number(name: string, min: number, max: number): number | undefined {
    const text = this.text(name);
    if (text === '') return undefined;
    const value = Number(text);
    if (value >= min && value <= max) return value;
    this.#ignored(name, text, `must be a number from ${min} to ${max}`);
    return undefined;
  }

  #ignored(name: string, text: string, rule: string): void {
    this.warnings.push(`variable ${name}: "${text.slice(0, 64)}" is ignored; it ${rule}`);
  }
}
