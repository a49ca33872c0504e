// One trace: a bar for each span, coloured by the process that recorded it.
import { h } from '../dom.js';
import { duration, plural, preciseClock } from '../format.js';

/** Number of colours in style.css; with more processes, colours repeat. */
const COLOURS = 8;

/**
 * Spans in depth-first order from the roots, with depth and the process that did the work. A span without its parent is
 * a root.
 */
function ordered(spans) {
  const ids = new Set(spans.map(({ spanId }) => spanId));
  const children = Map.groupBy(spans, ({ parentSpanId }) => (ids.has(parentSpanId) ? parentSpanId : ''));
  const seen = new Set();
  const walk = (parent, depth, engine) =>
    (children.get(parent) ?? [])
      .toSorted((a, b) => a.startMs - b.startMs)
      .flatMap((span) => {
        if (seen.has(span.spanId)) return [];
        seen.add(span.spanId);
        // Spans below an attempt belong to that engine, including the engine inside the router.
        const below = (span.kind === 'CLIENT' && span.attributes['tandem.engine']) || engine;
        return [{ ...span, depth, process: engine ?? nameOf(span) }, ...walk(span.spanId, depth + 1, below)];
      });
  return walk('', 0, undefined);
}

export function waterfall(spans) {
  const startMs = Math.min(...spans.map((span) => span.startMs));
  const totalMs = Math.max(...spans.map((span) => span.startMs + span.durationMs)) - startMs || 1;
  const rows = ordered(spans);
  // The router first, then engines by name, so colours do not depend on the order of spans.
  const processes = [...new Set(rows.map(({ process }) => process))].sort(
    (a, b) => Number(b === ROUTER) - Number(a === ROUTER) || (a < b ? -1 : 1),
  );
  const failed = spans.filter(({ error }) => error !== '');
  const scale = [0, 0.25, 0.5, 0.75, 1].map((at) => h('span', {}, duration(totalMs * at)));
  return [
    h(
      'p',
      { class: 'note' },
      `${duration(totalMs)} from ${preciseClock(startMs)}, ${plural(spans.length, 'span')}, ${plural(failed.length, 'error')}. Open a span for its attributes.`,
    ),
    ...rows.filter(({ depth, error }) => depth === 0 && error).map(({ error }) => h('p', { class: 'why' }, error)),
    h(
      'ul',
      { class: 'processes', 'aria-label': 'Who recorded the spans' },
      ...processes.map((name, at) => h('li', {}, h('span', { class: `swatch process-${at % COLOURS}` }), name)),
    ),
    h(
      'section',
      { class: 'panel waterfall', 'aria-label': 'Spans' },
      h(
        'div',
        { class: 'span-row scale', 'aria-hidden': 'true' },
        h('span', {}),
        h('span', { class: 'scale-marks' }, ...scale),
      ),
      ...rows.map((span) => row(span, processes.indexOf(span.process) % COLOURS, startMs, totalMs)),
    ),
  ];
}

const ROUTER = 'router';

/** For a span outside every attempt. */
function nameOf({ service, instance }) {
  if (service === 'tandem-router') return ROUTER;
  return service === 'tandem-engine' && instance !== '' ? instance : `${service} ${instance}`.trim();
}

function row(span, colour, startMs, totalMs) {
  const left = ((span.startMs - startMs) / totalMs) * 100;
  const width = (span.durationMs / totalMs) * 100;
  // The duration is beside the bar, on the side with room, or inside it.
  const side = left + width < 75 ? '' : left > 25 ? 'before' : 'within';
  return h(
    'details',
    { class: `span ${span.error ? 'failed' : ''}`, 'data-key': span.spanId },
    h(
      'summary',
      { class: 'span-row' },
      h(
        'span',
        { class: 'span-name', vars: { '--depth': String(Math.min(span.depth, 12)) } },
        h('span', {}, span.name.replace(/^tandem\.v1\./, '')),
        h('span', { class: 'dim-text' }, span.process),
      ),
      h(
        'span',
        { class: 'span-track' },
        h('span', {
          class: `span-bar process-${colour}`,
          vars: { '--left': `${left}%`, '--width': `${width}%` },
        }),
        h(
          'span',
          {
            class: `span-time ${side}`,
            vars: { '--left': `${left}%`, '--end': `${left + width}%` },
          },
          duration(span.durationMs),
          span.error && ' · failed',
        ),
      ),
    ),
    details(span, startMs),
  );
}

function details(span, startMs) {
  const pairs = Object.entries(span.attributes).map(([name, value]) => [name, String(value)]);
  return h(
    'div',
    { class: 'span-details' },
    span.error && h('p', { class: 'why' }, span.error),
    h(
      'dl',
      { class: 'facts' },
      ...[
        ['service', `${span.service} ${span.instance}`],
        ['kind', span.kind],
        ['begins', `+${duration(span.startMs - startMs)}`],
        ['span id', span.spanId],
        ...pairs,
      ].map(([name, value]) => h('div', {}, h('dt', {}, name), h('dd', {}, value))),
    ),
    span.events.length > 0 &&
      h(
        'ol',
        { class: 'timeline' },
        ...span.events.map(({ name, timeMs, attributes }) =>
          h(
            'li',
            {},
            h('time', {}, `+${duration(timeMs - startMs)}`),
            h('span', {}, name),
            h(
              'span',
              { class: 'dim-text' },
              Object.entries(attributes)
                .map(([key, value]) => `${key}=${value}`)
                .join(' '),
            ),
          ),
        ),
      ),
  );
}
