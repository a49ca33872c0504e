// Students: the weights of their teachers, their accuracy, and their versions.
import { poll } from '../api.js';
import { axis, chart, colour } from '../charts.js';
import { fill, h } from '../dom.js';
import { clock, count, percent, plural, words } from '../format.js';
import { badge, empty, facts, failure, heading, panel, table } from '../ui.js';

const COLOURS = ['accent', 'good', 'warn', 'bad', 'dim'];
const STATUS_BADGES = { PUBLISHED: 'READY', REJECTED: 'DRAINING', FAILED: 'DOWN', UNDER_WAY: 'INFO' };

export function start(root) {
  const list = h('div', { class: 'cards' });
  root.append(heading('Learning', 'Students, their accuracy, and the weights of their teachers.'), list);
  let charts = [];
  let shown = '';
  const stopCharts = () => {
    for (const { stop } of charts) stop();
    charts = [];
  };
  const stopPolling = poll(
    '/api/learning',
    3_000,
    ({ students }) => {
      const text = JSON.stringify(students);
      if (text === shown) return;
      shown = text;
      stopCharts();
      fill(list, ...(students.length === 0 ? [none()] : students.map((student) => card(student, charts))));
    },
    (error) => fill(list, failure(error)),
  );
  return {
    stop: () => {
      stopPolling();
      stopCharts();
    },
  };
}

function none() {
  return panel('No student yet', {}, empty('Teach one:', 'npx tandem learn FILE --student NAME --labels A,B'));
}

function card(student, charts) {
  const { teachers, curve, commits } = student;
  const models = teachers.map(({ model }) => model);
  return h(
    'article',
    { class: 'panel' },
    h(
      'div',
      { class: 'panel-head' },
      h('h2', { class: 'name' }, student.student),
      h(
        'span',
        { class: 'badges' },
        student.publishedVersion > 0
          ? badge('READY', `Version ${student.publishedVersion} is in use`)
          : badge('DRAINING', 'No version in use'),
      ),
    ),
    student.error && h('p', { class: 'why' }, student.error),
    facts(
      ['Sees', `${plural(student.features, 'number')} of ${student.base || 'the input'}`],
      ['Answers', plural(student.labels.length, 'label')],
      ['Learnt', `${plural(student.examples, 'example')}, ${count(student.labelled)} of them labelled`],
      ['Held out', plural(student.heldOut, 'example')],
      ['State', h('code', {}, student.stateDigest)],
    ),
    ...(curve.length < 2 ? [] : curves(student.student, curve, models, charts)),
    teachers.length > 0 &&
      table(
        [
          { name: 'Teacher', cell: ({ model }) => h('span', { class: 'name' }, model) },
          { name: 'Weight', cell: ({ weight }) => percent(weight) },
          { name: 'Accuracy', cell: ({ accuracy }) => percent(accuracy) },
          {
            name: 'Regret',
            cell: ({ regret, regretBound }) => `${regret.toFixed(2)} of at most ${regretBound.toFixed(2)}`,
          },
        ],
        teachers,
      ),
    commits.length > 0 &&
      table(
        [
          { name: 'Version', cell: ({ version }) => String(version) },
          { name: 'At', cell: ({ timeMs }) => clock(timeMs) },
          { name: 'Status', cell: ({ status }) => badge(STATUS_BADGES[status], words(status)) },
          { name: 'Accuracy', cell: ({ accuracy, heldOut }) => `${percent(accuracy)} of ${count(heldOut)}` },
          { name: 'Why', wide: true, cell: ({ why }) => why },
        ],
        commits.slice(-8).reverse(),
      ),
  );
}

function curves(name, curve, models, charts) {
  const share = (value) => percent(value);
  const of = (key) => models.map((model, k) => ({ name: model, values: curve.map((point) => point[key][k]) }));
  const accuracy = [
    { name: 'student', values: curve.map(({ studentAccuracy }) => studentAccuracy) },
    { name: 'consensus', values: curve.map(({ consensusAccuracy }) => consensusAccuracy) },
  ];
  const examples = curve.map((point) => point.examples);
  const drawn = [
    ['Accuracy before an example is learnt', accuracy, share],
    ...(models.length > 0
      ? [
          ['Weights of the teachers', of('weights'), share],
          ['Regret of the teachers', of('regrets'), (value) => value.toFixed(1)],
        ]
      : []),
  ];
  return drawn.flatMap(([title, series, format]) => {
    const lines = lineChart(`${title}, student ${name}`, series, format);
    charts.push(lines);
    lines.update([examples, ...series.map(({ values }) => values)]);
    return [h('h3', {}, title), lines.element];
  });
}

function lineChart(label, series, format) {
  return chart(label, 160, () => ({
    padding: [8, 16, 0, 0],
    legend: { live: false, show: series.length > 1 },
    cursor: { show: false },
    scales: { x: { time: false } },
    axes: [axis({ size: 24 }), axis({ size: 58, values: (_plot, ticks) => ticks.map((tick) => format(tick)) })],
    series: [
      {},
      ...series.map(({ name }, k) => ({
        label: name,
        stroke: colour(COLOURS[k % COLOURS.length]),
        width: 1.5,
        points: { show: false },
      })),
    ],
  }));
}
