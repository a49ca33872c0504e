// Whether and how metrics are pushed, by OpenTelemetry's variables. Its exporter reads the target and the headers
// itself (OTEL_EXPORTER_OTLP_(METRICS_)ENDPOINT, …).
import type { Environment } from './environment.ts';

export interface OtlpMetricsOptions {
  readonly protocol: 'grpc' | 'http/protobuf' | 'http/json';
  readonly intervalMs: number;
  readonly timeoutMs: number;
}

const PROTOCOLS = ['grpc', 'http/protobuf', 'http/json'] as const;
const INTERVAL_MS = 60_000;
const TIMEOUT_MS = 30_000;

/**
 * Undefined: no variable asks for it. An endpoint for traces alone does not, because its collector may not accept
 * metrics, though OpenTelemetry would send them there. Throws an Error that names the variable.
 */
export function otlpMetrics(env: Environment = process.env): OtlpMetricsOptions | undefined {
  const exporters = env['OTEL_METRICS_EXPORTER']?.split(',').map((name) => name.trim()) ?? [];
  const isWanted = exporters.includes('otlp') || (!exporters.includes('none') && env[ENDPOINT] !== undefined);
  if (!isWanted || env['OTEL_SDK_DISABLED']?.toLowerCase() === 'true') return undefined;
  const [name, text] = firstSet(env, 'OTEL_EXPORTER_OTLP_METRICS_PROTOCOL', 'OTEL_EXPORTER_OTLP_PROTOCOL');
  const protocol = PROTOCOLS.find((each) => each === (text ?? 'http/protobuf'));
  if (protocol === undefined) throw new Error(`${name}: "${text}" is not one of ${PROTOCOLS.join(', ')}`);
  const intervalMs = milliseconds(env, 'OTEL_METRIC_EXPORT_INTERVAL', INTERVAL_MS);
  const timeoutMs = milliseconds(env, 'OTEL_METRIC_EXPORT_TIMEOUT', TIMEOUT_MS);
  return { protocol, intervalMs, timeoutMs: Math.min(timeoutMs, intervalMs) };
}

const ENDPOINT = 'OTEL_EXPORTER_OTLP_METRICS_ENDPOINT';

function firstSet(env: Environment, ...names: readonly string[]): [name: string, text: string | undefined] {
  const name = names.find((each) => env[each]) ?? '';
  return [name, env[name]];
}

function milliseconds(env: Environment, name: string, otherwise: number): number {
  const value = Number(env[name] || otherwise);
  if (Number.isInteger(value) && value >= 10 && value <= 3_600_000) return value;
  throw new Error(`${name}: "${env[name]}" is no whole number of milliseconds from 10 to 3600000`);
}
