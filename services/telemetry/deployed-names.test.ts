// The rules and the dashboard must use metrics, labels and label values that exist.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { type Series, parseExposition } from '../../test/support/exposition.ts';
import { metered, meteredEngine } from '../../test/support/metered.ts';
import { Prometheus } from './prometheus.ts';

const folder = join(import.meta.dirname, '../../deploy');
const read = (name: string): string => readFileSync(join(folder, name), 'utf8');
const RULES = read('prometheus/tandem.rules.yml');
/** Metrics of Prometheus itself. */
const PROMETHEUS_OWN = ['up', 'ALERTS'];

let series: Series[];

beforeAll(async () => {
  const { metrics, meter } = metered({
    engines: [meteredEngine('engine-1')],
    names: [{ name: 'engine', why: 'the name is not resolved' }],
  });
  metrics.requestEnded('Reason', 'OK', 1);
  metrics.requestEnded('Reason', 'NO_ENGINE', 1);
  metrics.attemptEnded('engine-1', 'OK', 1);
  metrics.planned('FASTEST');
  metrics.answered('m', 1);
  series = parseExposition((await new Prometheus(() => meter.read()).exposition('')).body);
});

/** Returns every query of the dashboard. */
function expressions(panel: unknown): string[] {
  if (typeof panel !== 'object' || panel === null) return [];
  return Object.entries(panel).flatMap(([key, value]) =>
    typeof value === 'string' && (key === 'expr' || key === 'query') ? [value] : expressions(value),
  );
}

interface Selector {
  readonly name: string;
  readonly matchers: string;
}

function selectors(text: string): Selector[] {
  return [...text.matchAll(/\b((?:tandem|process|nodejs)[_:][\w:]+|up|ALERTS)(?:\{([^}]*)\})?/g)].map(
    ([, name = '', matchers = '']) => ({ name, matchers }),
  );
}

describe.each([
  [
    'the rules',
    (): string[] => RULES.split('\n').filter((line) => !/^\s*(#|- name:|- alert:|runbook|summary|desc)/.test(line)),
  ],
  ['the dashboard', (): string[] => expressions(JSON.parse(read('grafana/tandem-dashboard.json')))],
])('%s', (_what, queries) => {
  const used = queries().flatMap(selectors);
  const recorded = new Set([...RULES.matchAll(/- record: (\S+)/g)].map(([, name]) => name!));

  it('use metrics that exist', () => {
    const known = new Set([...PROMETHEUS_OWN, ...recorded, ...series.map(({ name }) => name)]);
    expect(used.map(({ name }) => name).filter((name) => !known.has(name))).toEqual([]);
    expect(used.length).toBeGreaterThan(10);
  });

  it('select by labels and values that these metrics have', () => {
    const SCRAPED = ['job', 'instance'];
    const wrong = used
      .filter(({ name }) => !PROMETHEUS_OWN.includes(name) && !recorded.has(name))
      .flatMap(({ name, matchers }) =>
        [...matchers.matchAll(/(\w+)(=~|!~|!=|=)"([^"]*)"/g)]
          .filter(([, label = '']) => !SCRAPED.includes(label))
          .filter(([, label = '', operator, text = '']) => {
            const values = new Set(series.filter((each) => each.name === name).map(({ labels }) => labels[label]));
            const isKnown = operator === '=' ? values.has(text) : values.size > 0 && !values.has(undefined);
            const isPattern = operator === '=~' && !text.split('|').every((each) => values.has(each));
            return !isKnown || isPattern;
          })
          .map(([matcher]) => `${name}{${matcher}}`),
      );
    expect(wrong).toEqual([]);
  });
});
