import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { type MeteredSystem, metered, meteredEngine } from '../../test/support/metered.ts';
import { settingsSchema } from '../config/schema.ts';
import {
  ALERT_RULES,
  type Alert,
  type AlertName,
  Alerts,
  CALLERS_CODES,
  LASTING,
  MAX_SHED_RATIO,
  MIN_LOOKUPS,
  MIN_USUAL_RATIO,
  USUAL_MS,
  lastKnown,
} from './alerts.ts';
import type { Metrics } from './metrics.ts';

const SETTINGS = settingsSchema.parse({}).alerts;
const OPTIONS = {
  intervalMs: SETTINGS.interval_ms,
  windowMs: SETTINGS.window_ms,
  forMs: SETTINGS.for_ms,
  errorRatio: SETTINGS.error_ratio,
  p99Ms: SETTINGS.p99_ms,
  memoryBytes: SETTINGS.memory_bytes,
  cacheCollapse: SETTINGS.cache_collapse,
};

let nowMs: number;
/** The time of the system clock. */
let wallMs: number;
let memoryBytes: number;
let metrics: Metrics;
let around: MeteredSystem;
let alerts: Alerts;
let raised: Alert[];

beforeEach(() => {
  nowMs = 1_000_000;
  wallMs = 1_790_000_000_000;
  memoryBytes = 1e8;
  raised = [];
  const { meter, ...rest } = metered({
    engines: [meteredEngine('local', { kind: 'local' }), meteredEngine('engine-1')],
  });
  ({ metrics, around } = rest);
  const read = (): ReturnType<typeof meter.read> => ({ ...meter.read(), timeMs: wallMs, upMs: nowMs });
  alerts = new Alerts(
    read,
    OPTIONS,
    (alert) => raised.push(alert),
    () => memoryBytes,
  );
  alerts.look();
});

/** Calls `happen` before each check, for this time. */
function pass(seconds: number, happen: () => void = () => undefined): void {
  for (let leftMs = seconds * 1_000; leftMs > 0; leftMs -= OPTIONS.intervalMs) {
    nowMs += OPTIONS.intervalMs;
    happen();
    alerts.look();
  }
}

function requests(answered: number, failed: number): void {
  for (let k = 0; k < answered; k += 1) metrics.requestEnded('Reason', 'OK', 2);
  for (let k = 0; k < failed; k += 1) metrics.requestEnded('Reason', 'NO_ENGINE', 2);
}

function lookups(hits: number, misses: number): void {
  for (let k = 0; k < hits; k += 1) metrics.cacheUsed('HIT');
  for (let k = 0; k < misses; k += 1) metrics.cacheUsed('MISS');
}

interface Case {
  readonly name: AlertName;
  /** Calls before the fault begins. */
  readonly well?: () => void;
  readonly wrong: () => void;
  readonly text: RegExp;
}

const engine = (over: Parameters<typeof meteredEngine>[1]): void => {
  around.engines = [meteredEngine('local', { kind: 'local' }), meteredEngine('engine-1', over)];
};

const CASES: Case[] = [
  {
    name: 'TandemErrorRatioHigh',
    wrong: () => requests(94, 6),
    text: /^6\.0 % of requests fail \(\d+ of \d+\), more than 5\.0 %/,
  },
  {
    name: 'TandemLatencyHigh',
    wrong: () => metrics.requestEnded('Reason', 'OK', 1_500),
    text: /latency is 2485 ms, more than 1000 ms/,
  },
  {
    name: 'TandemShedding',
    wrong: () => {
      requests(98, 0);
      for (const lack of ['CPU', 'ENGINES'] as const) metrics.requestEnded('Reason', 'ROUTER_FULL', 0, lack);
    },
    text: /^2\.0 % of requests are refused: \d+ because every engine is busy: add engines; \d+ because .*too little CPU/,
  },
  { name: 'TandemBreakerOpen', wrong: () => engine({ breaker: { state: 'OPEN' } }), text: /open of engine-1$/ },
  {
    name: 'TandemEngineDown',
    wrong: () => engine({ state: 'DOWN', unavailableReason: 'down: unreachable: connect ECONNREFUSED' }),
    text: /^engines that are not usable: engine-1 \(down: unreachable: connect ECONNREFUSED\)$/,
  },
  {
    name: 'TandemDiscoveryProblem',
    wrong: () => (around.names = [{ name: 'engine:50061', why: 'not resolved: NXDOMAIN' }]),
    text: /^names of engines: engine:50061: not resolved: NXDOMAIN$/,
  },
  {
    name: 'TandemLogDropped',
    wrong: () => (around.linesDropped += 2),
    text: /lines of the log were dropped/,
  },
  { name: 'TandemDispute', wrong: () => metrics.voted('DISPUTED', []), text: /contradicted each other, \d+ times/ },
  { name: 'TandemEngineQuarantined', wrong: () => engine({ state: 'QUARANTINED' }), text: /answers: engine-1$/ },
  {
    name: 'TandemModelMismatch',
    wrong: () =>
      engine({
        modelProblems: [
          { model: 'm/1', why: 'damaged' },
          { model: 'm/2', why: 'other weights' },
        ],
      }),
    text: /^models that differ from the repository: engine-1 \(m\/1: damaged; m\/2: other weights\)$/,
  },
  {
    name: 'TandemCacheHitRatioCollapsed',
    well: () => lookups(6, 4),
    wrong: () => lookups(0, 10),
    text: /answers \d+\.\d % of requests, where \d+\.\d % is usual/,
  },
  { name: 'TandemMemoryHigh', wrong: () => (memoryBytes = 3e9), text: /takes 2861 MiB, more than 2048 MiB/ },
  { name: 'TandemNoEngineReady', wrong: () => (around.engines = []), text: /none of 0 engines is ready/ },
  { name: 'TandemSpansDropped', wrong: () => (around.spansDropped += 5), text: /\d+ spans of traces were lost/ },
];

describe('Alerts', () => {
  it('raises nothing while there is no fault', () => {
    pass(3_600, () => {
      requests(10, 0);
      lookups(5, 5);
      for (let k = 0; k < 5; k += 1) metrics.requestEnded('Reason', 'INPUT_LENGTH', 1); // the fault of the caller
      metrics.requestEnded('WatchMetrics', 'OK', 3_000_000); // lasts as long as its caller wants
    });
    expect(raised).toEqual([]);
  });

  it.each(CASES)('raises $name once, after the fault has lasted for a minute', ({ name, well, wrong, text }) => {
    if (well) pass(1_800, well);
    const beganMs = nowMs;
    while (raised.length === 0 && nowMs - beganMs < 1_800_000) pass(5, wrong);
    expect(nowMs - beganMs).toBeGreaterThanOrEqual(OPTIONS.forMs);
    expect(raised).toMatchObject([{ name, isFiring: true }]);
    expect(raised[0]!.text).toMatch(text);
    pass(120, wrong);
    expect(raised).toHaveLength(1);
    expect(alerts.raised.map((each) => each.name)).toEqual([name]);
  });

  it('has a case above for each alert', () => {
    expect(CASES.map(({ name }) => name)).toEqual(Object.keys(ALERT_RULES));
  });

  it('raises nothing for a fault that ends within a minute', () => {
    pass(55, () => engine({ breaker: { state: 'OPEN' } }));
    pass(300, () => engine({}));
    expect(raised).toEqual([]);
  });

  it('ends an alert after a minute without the fault, despite short changes', () => {
    pass(65, () => engine({ breaker: { state: 'OPEN' } }));
    for (let k = 0; k < 10; k += 1) {
      pass(30, () => engine({}));
      pass(30, () => engine({ breaker: { state: 'HALF_OPEN' } }));
    }
    expect(raised).toHaveLength(1);
    pass(65, () => engine({}));
    expect(raised.slice(1)).toEqual([{ name: 'TandemBreakerOpen', isFiring: false, text: 'it is over' }]);
  });

  it('does not compare values across a reset', () => {
    pass(600, () => requests(1, 10));
    raised = [];
    metrics.reset();
    pass(120, () => requests(10, 0));
    expect(raised).toEqual([{ name: 'TandemErrorRatioHigh', isFiring: false, text: 'it is over' }]);
  });
});

describe('a change of the wall clock', () => {
  it.each([
    ['back', -3_600_000],
    ['forward', 3_600_000],
  ])('%s by an hour neither delays nor raises an alert', (_way, byMs) => {
    pass(30, () => requests(94, 6));
    wallMs += byMs;
    pass(20, () => requests(94, 6));
    expect(raised).toEqual([]);
    pass(20, () => requests(94, 6));
    expect(alerts.raised.map((each) => each.name)).toEqual(['TandemErrorRatioHigh']);
  });
});

describe('deploy/prometheus/tandem.rules.yml', () => {
  interface Rule {
    readonly alert?: string;
    readonly record?: string;
    readonly expr: string;
    readonly for?: string;
    readonly keep_firing_for?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  }
  const folder = join(import.meta.dirname, '../../deploy');
  const { groups } = parse(readFileSync(join(folder, 'prometheus/tandem.rules.yml'), 'utf8')) as {
    groups: { rules: Rule[] }[];
  };
  const rules = groups.flatMap((group) => group.rules);
  const byName = new Map(rules.flatMap((rule) => (rule.alert === undefined ? [] : [[rule.alert, rule]])));

  it('has all alerts of the router and TandemRouterDown', () => {
    expect([...byName.keys()]).toEqual([...Object.keys(ALERT_RULES), 'TandemRouterDown']);
  });

  it('has the default thresholds of the settings', () => {
    const threshold = (name: AlertName): number => Number(/ [<>=]+ ([\d.]+)/.exec(byName.get(name)!.expr)?.[1]);
    expect(threshold('TandemErrorRatioHigh')).toBe(SETTINGS.error_ratio);
    expect(threshold('TandemLatencyHigh') * 1_000).toBe(SETTINGS.p99_ms);
    expect(threshold('TandemMemoryHigh')).toBe(SETTINGS.memory_bytes);
    expect(threshold('TandemCacheHitRatioCollapsed')).toBe(SETTINGS.cache_collapse);
    expect(threshold('TandemShedding')).toBe(MAX_SHED_RATIO);
    const collapse = byName.get('TandemCacheHitRatioCollapsed')!.expr;
    expect(collapse).toContain(`rate1h > ${MIN_USUAL_RATIO}`);
    expect(collapse).toContain(`>= ${MIN_LOOKUPS}`);
    for (const name of [
      'TandemBreakerOpen',
      'TandemEngineDown',
      'TandemDiscoveryProblem',
      'TandemLogDropped',
      'TandemDispute',
      'TandemEngineQuarantined',
      'TandemModelMismatch',
      'TandemSpansDropped',
    ] as const) {
      expect(threshold(name)).toBe(0);
    }
  });

  it('has the times of the settings', () => {
    for (const rule of byName.values()) {
      expect([rule.for, rule.keep_firing_for]).toEqual([
        `${SETTINGS.for_ms / 60_000}m`,
        `${SETTINGS.for_ms / 60_000}m`,
      ]);
    }
    const ranges = new Set(rules.flatMap(({ expr }) => [...expr.matchAll(/\[(\w+)\]/g)].map(([, range]) => range)));
    expect(ranges).toEqual(new Set([`${SETTINGS.window_ms / 60_000}m`, `${USUAL_MS / 3_600_000}h`]));
  });

  it('leaves out the same outcomes and types', () => {
    const recorded = (name: string): string => rules.find(({ record }) => record === name)!.expr;
    expect(recorded('tandem:request_errors:ratio_rate5m')).toContain(`code!~"OK|${CALLERS_CODES.join('|')}"`);
    expect(recorded('tandem:request_duration_seconds:p99_rate5m')).toContain(`method!~"${LASTING.join('|')}"`);
  });

  it('has severity, description and a runbook section for each alert', () => {
    const runbook = readFileSync(join(folder, 'RUNBOOK.md'), 'utf8');
    const anchors = [...runbook.matchAll(/^## ([a-z-]+)$/gm)].map(([, anchor]) => anchor);
    for (const { labels, annotations } of byName.values()) {
      expect(['warning', 'critical']).toContain(labels?.['severity']);
      expect(annotations?.['summary']).toBeTruthy();
      expect(annotations?.['description']).toBeTruthy();
      const [file, anchor] = annotations!['runbook_url']!.split('#');
      expect(file).toBe('deploy/RUNBOOK.md');
      expect(anchors).toContain(anchor);
    }
    expect(anchors).toHaveLength(byName.size);
  });
});

describe('lastKnown', () => {
  it('returns the last value while reading fails', () => {
    let read = (): number => 5;
    const figure = lastKnown(() => read());
    expect(figure()).toBe(5);
    read = () => {
      throw new Error('EMFILE: too many open files, uv_resident_set_memory');
    };
    expect(figure()).toBe(5);
    read = () => 7;
    expect(figure()).toBe(7);
  });
});
