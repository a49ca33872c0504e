import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { ALERT_RULES } from '../telemetry/alerts.ts';

const assets = join(import.meta.dirname, 'assets');
const rules = readFileSync(join(import.meta.dirname, '../../deploy/prometheus/tandem.rules.yml'), 'utf8');

it('each alert links to the same runbook section as its Prometheus rule', () => {
  const [, table = ''] = /RUNBOOK = \{([^}]*)\}/.exec(readFileSync(join(assets, 'alerts.js'), 'utf8')) ?? [];
  const here: Record<string, string> = Object.fromEntries(
    [...table.matchAll(/(\w+): '([\w-]+)'/g)].map(([, name, section]) => [name!, section!]),
  );
  const there = [...rules.matchAll(/- alert: (\w+)[\s\S]*?RUNBOOK\.md#([\w-]+)/g)].map(([, name, section]) => [
    name,
    section,
  ]);
  const own = there.filter(([name]) => name! in ALERT_RULES);
  expect(here).toEqual(Object.fromEntries(own));
});
