// OpenTelemetry's variables that the router itself reads. The exporter reads those for the connection to a collector
// (address, headers, certificates, timeout). As the specification requires, an invalid value is reported and ignored:
// https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
import type { Environment } from './environment.ts';

export type OtlpProtocol = 'grpc' | 'http/protobuf' | 'http/json';

export interface OtelSettings {
  /** Target of spans; undefined: they are not sent. */
  readonly export: ExportSettings | undefined;
  /** Undefined: the settings decide. */
  readonly sampler: { readonly isParentBased: boolean; readonly ratio: number } | undefined;
  /** What was ignored, one line each. */
  readonly warnings: readonly string[];
}

export interface ExportSettings {
  readonly endpoint: string;
  readonly protocol: OtlpProtocol;
  /** Spans that may wait to be sent. */
  readonly maxQueue: number;
  /** Spans in one export. */
  readonly maxBatch: number;
  /** Maximum time between two exports. */
  readonly delayMs: number;
  /** Time limit of an export. */
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
 * The environment of a sidecar that this router starts: the router's own, except that spans go to the router and
 * router-only variables are removed. `spanToken`: proves that spans come from an engine that this router started.
 */
export function sidecarEnvironment(
  spansTo: string | undefined,
  spanToken: string,
  env: Environment = process.env,
): Environment {
  // The allocator settings are only for the router: see deploy/router.env.
  const { MALLOC_TRIM_THRESHOLD_: _, MALLOC_ARENA_MAX: __, ...own } = env;
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

/** The ratio may be set without the sampler, because our default sampler uses a ratio. */
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
