import { describe, expect, it } from '@jest/globals';
import { parseExposition, valueOf } from '../../test/support/exposition.ts';
import { metered, meteredEngine } from '../../test/support/metered.ts';
import { MAX_LABELLED_ENGINES, MAX_LABELLED_MODELS } from './families.ts';
import { Prometheus } from './prometheus.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
/** The header of Prometheus 2.42. */
const PROMETHEUS_ACCEPT =
  'application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1';

describe('the exposition', () => {
  it.each([
    ['', 'text/plain; version=0.0.4; charset=utf-8'],
    ['*/*', 'text/plain; version=0.0.4; charset=utf-8'],
    ['text/html,application/xhtml+xml,*/*;q=0.8', 'text/plain; version=0.0.4; charset=utf-8'],
    [PROMETHEUS_ACCEPT, 'application/openmetrics-text; version=1.0.0; charset=utf-8'],
    ['application/openmetrics-text', 'application/openmetrics-text; version=1.0.0; charset=utf-8'],
    ['application/openmetrics-text;version=2.0.0,text/plain', 'text/plain; version=0.0.4; charset=utf-8'],
    ['application/openmetrics-text;q=0.2,text/plain', 'text/plain; version=0.0.4; charset=utf-8'],
    ['application/openmetrics-text;q=0', 'text/plain; version=0.0.4; charset=utf-8'],
  ])('for "%s" is sent as %s', async (accept, contentType) => {
    const { meter } = metered();
    const exposition = await new Prometheus(() => meter.read()).exposition(accept);
    expect(exposition.contentType).toBe(contentType);
    expect(exposition.body.endsWith('# EOF\n')).toBe(contentType.startsWith('application/'));
  });

  it('uses the same counter names in both formats', async () => {
    const { metrics, meter } = metered();
    metrics.requestEnded('Ping', 'OK', 1);
    const prometheus = new Prometheus(() => meter.read());
    const namesIn = async (accept: string): Promise<string[]> =>
      parseExposition((await prometheus.exposition(accept)).body).map(({ name }) => name);
    const text = new Set(await namesIn(''));
    expect(new Set(await namesIn(PROMETHEUS_ACCEPT))).toEqual(text);
    expect(new Set(await namesIn(''))).toEqual(text);
    expect(text).toContain('tandem_requests_total');
    expect(text).toContain('process_cpu_seconds_total');
  });

  it('has the newest known trace of each latency bucket in OpenMetrics', async () => {
    const { metrics, meter } = metered();
    metrics.requestEnded('Reason', 'OK', 3);
    metrics.exemplar(3, 'f'.repeat(32), 'Reason');
    metrics.exemplar(4, TRACE, 'Reason');
    const { body } = await new Prometheus(() => meter.read()).exposition(PROMETHEUS_ACCEPT);
    const withExemplar = parseExposition(body).filter(({ exemplar }) => exemplar !== '');
    expect(withExemplar).toMatchObject([{ labels: { method: 'Reason', le: '0.005' }, value: 1 }]);
    expect(withExemplar[0]!.exemplar).toMatch(new RegExp(`^\\{trace_id="${TRACE}"\\} 0.004 \\d+(\\.\\d+)?$`));
    expect((await new Prometheus(() => meter.read()).exposition('')).body).not.toContain(TRACE);
  });

  it('has a limited number of engine and model series, and one for all others', async () => {
    const engines = Array.from({ length: 200 }, (_, k) => meteredEngine(`engine-${k}`, { inFlight: 1 }));
    const { metrics, meter } = metered({ engines });
    for (const { id } of engines) metrics.attemptEnded(id, 'OK', 1);
    for (let version = 1; version <= 200; version += 1) metrics.answered('m', version);
    const { body } = await new Prometheus(() => meter.read()).exposition('');
    const series = parseExposition(body).filter(({ name }) => name.startsWith('tandem_'));
    const named = (label: string): number => new Set(series.flatMap(({ labels }) => labels[label] ?? [])).size;
    expect([named('engine'), named('version')]).toEqual([MAX_LABELLED_ENGINES + 1, MAX_LABELLED_MODELS + 1]);
    const rest = 200 - MAX_LABELLED_ENGINES;
    expect(valueOf(series, 'tandem_engine_attempts_total', { engine: 'other', outcome: 'answered' })).toBe(rest);
    expect(valueOf(series, 'tandem_engine_state', { engine: 'other', state: 'ready' })).toBe(rest);
    expect(valueOf(series, 'tandem_engine_attempt_duration_seconds_count', { engine: 'other' })).toBe(rest);
    expect(valueOf(series, 'tandem_model_requests_total', { model: 'other' })).toBe(200 - MAX_LABELLED_MODELS);
    expect(valueOf(series, 'tandem_engines', { kind: 'sidecar', state: 'ready' })).toBe(200);
  });
});
