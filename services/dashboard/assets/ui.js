// Components shared by all pages.
import { command } from './command.js';
import { h } from './dom.js';
import { percent, title } from './format.js';

/** The heading of a page and a line of description. */
export function heading(text, about, ...aside) {
  return h('div', { class: 'heading' }, h('div', {}, h('h1', {}, text), h('p', {}, about)), ...aside);
}

export function panel(name, attributes, ...children) {
  const { aside, ...rest } = attributes;
  const head = h('div', { class: 'panel-head' }, h('h2', {}, name), aside && h('span', { class: 'aside' }, aside));
  return h('section', { ...rest, class: `panel ${rest.class ?? ''}` }, head, ...children);
}

/** A figure with its name and a note. */
export function tile(name, value, note = '', tone = '') {
  return h(
    'div',
    { class: `tile ${tone}` },
    h('span', { class: 'tile-name' }, name),
    h('span', { class: 'tile-value' }, value),
    h('span', { class: 'tile-note' }, note),
  );
}

const TONES = {
  ...{ READY: 'good', CLOSED: 'good', AGREED: 'good', UNANIMOUS: 'good', OK: 'good' },
  ...{ DOWN: 'bad', OPEN: 'bad', DISSENTED: 'bad', DISPUTED: 'bad', AUDIT_DISPUTED: 'bad', ERROR: 'bad' },
  ...{ DRAINING: 'warn', HALF_OPEN: 'warn', TOO_FEW: 'warn', DEGRADED: 'warn', PLURALITY: 'warn', STALE: 'warn' },
  ...{
    QUARANTINED: 'odd',
    DUPLICATE: 'warn',
    UNUSABLE: 'bad',
    MISMATCH: 'bad',
    MAJORITY: 'info',
    ABSENT: 'dim',
    SINGLE: 'dim',
    AUDITED: 'info',
  },
};

/** A state as colour, shape and word. */
export function badge(name, label = title(name)) {
  return h('span', { class: `badge ${TONES[name] ?? 'info'}` }, label);
}

/** Shown if there is no data: what to do. `hint`: a command to copy. */
export function empty(text, hint) {
  return h('div', { class: 'empty' }, h('p', {}, text), hint && command(hint));
}

export function failure(error) {
  return h('div', { class: 'empty bad-text', role: 'alert' }, h('p', {}, error.message));
}

/**
 * @param {{name: string, number?: boolean, wide?: boolean, cell: (row: any) => any}[]} columns
 * @param {any[]} rows
 */
export function table(columns, rows) {
  const classOf = ({ number, wide }) => (number ? 'number' : wide ? 'wide' : undefined);
  return h(
    'div',
    { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': 'table' },
    h(
      'table',
      {},
      h(
        'thead',
        {},
        h('tr', {}, ...columns.map((column) => h('th', { scope: 'col', class: classOf(column) }, column.name))),
      ),
      h(
        'tbody',
        {},
        ...rows.map((row) =>
          h('tr', {}, ...columns.map((column) => h('td', { class: classOf(column) }, column.cell(row)))),
        ),
      ),
    ),
  );
}

/** A share, 0 to 1, as a bar with its number. */
export function meter(share, text = percent(share), tone = '') {
  const width = `${Math.min(100, Math.max(0, (share || 0) * 100)).toFixed(1)}%`;
  return h(
    'span',
    { class: `meter ${tone}` },
    h(
      'span',
      { class: 'meter-track', 'aria-hidden': 'true' },
      h('span', { class: 'meter-fill', vars: { '--share': width } }),
    ),
    h('span', { class: 'meter-text' }, text),
  );
}

/** Names and values. */
export function facts(...pairs) {
  return h(
    'dl',
    { class: 'facts' },
    ...pairs.filter(Boolean).map(([name, value]) => h('div', {}, h('dt', {}, name), h('dd', {}, value))),
  );
}
