// Current alerts, with links to what to do.
import { h } from './dom.js';
import { clock } from './format.js';
import { panel } from './ui.js';

/** Section of deploy/RUNBOOK.md, by alert. */
export const RUNBOOK = {
  TandemErrorRatioHigh: 'error-ratio',
  TandemLatencyHigh: 'latency',
  TandemShedding: 'shedding',
  TandemBreakerOpen: 'breaker-open',
  TandemEngineDown: 'engine-down',
  TandemDiscoveryProblem: 'discovery',
  TandemLogDropped: 'log-dropped',
  TandemDispute: 'dispute',
  TandemEngineQuarantined: 'quarantine',
  TandemModelMismatch: 'model-mismatch',
  TandemCacheHitRatioCollapsed: 'cache-hit-ratio',
  TandemMemoryHigh: 'memory',
  TandemNoEngineReady: 'no-engine',
  TandemSpansDropped: 'spans-dropped',
};

/** The raised alerts; nothing if there are none. */
export function alertsPanel(alerts) {
  if (alerts.length === 0) return h('div', { hidden: true });
  return panel(
    alerts.length === 1 ? '1 alert' : `${alerts.length} alerts`,
    { class: 'alerts', role: 'region', 'aria-label': 'Alerts', aside: h('a', { href: '#/events' }, 'all events') },
    h('ul', {}, ...alerts.map(alert)),
  );
}

function alert({ name, text, sinceMs }) {
  const section = RUNBOOK[name];
  return h(
    'li',
    {},
    h('strong', {}, nameOf(name)),
    h('span', { class: 'alert-text' }, text),
    h('time', { class: 'dim-text' }, `since ${clock(sinceMs)}`),
    section && h('a', { href: `/docs/runbook#${section}` }, 'what to do'),
  );
}

/** TandemEngineDown → Engine down */
function nameOf(name) {
  return name.replace(/^Tandem/, '').replace(/(?<=.)[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}
