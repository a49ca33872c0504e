// uPlot with the page's colours and sizes. A chart is created once and then gets new data; its height never changes.
import { h } from './dom.js';

const probe = h('span', { hidden: true });

/** The computed value of a colour of style.css. */
export function colour(name) {
  if (!probe.isConnected) document.body.append(probe);
  probe.style.color = `var(--${name})`;
  return getComputedStyle(probe).color;
}

/**
 * A chart that fits its parent's width and follows the theme. `build` gives uPlot's options without a size.
 * @returns {{element: HTMLElement, update: (data: any[]) => void, stop: () => void}}
 */
export function chart(label, height, build) {
  const element = h('div', { class: 'chart', role: 'img', 'aria-label': label, vars: { '--height': `${height}px` } });
  let plot;
  let data;
  const draw = () => {
    plot?.destroy();
    plot = undefined;
    if (element.clientWidth === 0 || data === undefined) return;
    plot = new uPlot({ ...build(), width: element.clientWidth, height }, data, element);
  };
  const resize = new ResizeObserver(() => {
    if (plot === undefined) draw();
    else if (plot.width !== element.clientWidth) plot.setSize({ width: element.clientWidth, height });
  });
  resize.observe(element);
  document.addEventListener('themechange', draw);
  return {
    element,
    update: (next) => {
      data = next;
      if (plot === undefined) draw();
      else plot.setData(data);
    },
    stop: () => {
      resize.disconnect();
      document.removeEventListener('themechange', draw);
      plot?.destroy();
    },
  };
}

const FONT = '11px system-ui, sans-serif';

/** An axis with its title. */
function titledAxis(label, over) {
  return axis({ label, labelSize: 16, labelFont: FONT, labelGap: 0, ...over });
}

export function axis(over = {}) {
  return {
    stroke: colour('dim'),
    font: FONT,
    grid: { stroke: colour('grid'), width: 1 },
    ticks: { show: false },
    gap: 4,
    ...over,
  };
}

/** Minimum time span, so that the line of a new router fills the chart, seconds. */
const MIN_SPAN_S = 60;

/** 14:03, or 14:03:20 where ticks are closer than a minute. */
function clockTimes(ticks) {
  const isClose = ticks.length > 1 && ticks[1] - ticks[0] < 60;
  const form = { hour: '2-digit', minute: '2-digit', ...(isClose && { second: '2-digit' }) };
  return ticks.map((seconds) => new Date(seconds * 1_000).toLocaleTimeString('en-GB', form));
}

/** The last `spanS` seconds for which there is data. */
function timeRange(spanS, min, max) {
  const end = max ?? Date.now() / 1_000;
  return [Math.max(end - spanS, Math.min(min ?? end, end - MIN_SPAN_S)), end];
}

/**
 * Lines over the last `span()` seconds; x is in seconds since 1970. `series`: name, colour of style.css, and whether the area
 * below is filled.
 */
export function timeChart(label, series, format, span) {
  return chart(label, 180, () => ({
    padding: [8, 16, 0, 0],
    legend: { live: false, show: series.length > 1 },
    cursor: { y: false, drag: { x: false, y: false }, points: { show: false } },
    scales: {
      x: { time: true, range: (_plot, min, max) => timeRange(span(), min, max) },
      y: { range: (_plot, _min, max) => [0, max > 0 ? max * 1.1 : 1] },
    },
    axes: [
      axis({
        ...{ size: 24, space: 64, incrs: [10, 20, 30, 60, 120, 300, 600, 900] },
        values: (_plot, ticks) => clockTimes(ticks),
      }),
      axis({ size: 58, values: (_plot, ticks) => ticks.map((tick) => format(tick)) }),
    ],
    series: [
      {},
      ...series.map(({ name, stroke, isFilled }) => ({
        label: name,
        stroke: colour(stroke),
        width: 1.5,
        fill: isFilled ? colour(`${stroke}-soft`) : undefined,
        points: { show: false },
        spanGaps: false,
      })),
    ],
  }));
}

/** Vertical bars at 0, 1, 2, …. `name`: label of a bar. `titles`: titles of the axes. */
export function barChart(label, height, { name, format, titles, size = 58, stroke = 'accent' }) {
  return chart(label, height, () => ({
    padding: [8, 8, 0, 0],
    legend: { show: false },
    cursor: { show: false },
    scales: {
      x: { time: false, range: (_plot, min, max) => [min - 0.6, max + 0.6] },
      y: { range: (_plot, _min, max) => [0, max > 0 ? max * 1.1 : 1] },
    },
    axes: [
      titledAxis(titles.x, {
        ...{ size: 20, incrs: [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1_024] },
        ...{ values: (_plot, ticks) => ticks.map(name), grid: { show: false } },
      }),
      titledAxis(titles.y, { size: size - 16, values: (_plot, ticks) => ticks.map((tick) => format(tick)) }),
    ],
    series: [
      {},
      {
        stroke: colour(stroke),
        fill: colour(`${stroke}-soft`),
        width: 1,
        paths: uPlot.paths.bars({ size: [0.8, 40] }),
        points: { show: false },
      },
    ],
  }));
}

/**
 * A spike raster: one point for each spike. `names`: of the neurons, if they fit one below the other; else numbers are
 * shown. `size`: width of the names, pixels.
 */
export function rasterChart(label, height, { steps, neurons, names, size = 58 }) {
  return chart(label, height, () => ({
    padding: [8, 8, 0, 0],
    legend: { show: false },
    cursor: { show: false },
    scales: {
      x: { time: false, range: [-0.6, Math.max(steps, 1) - 0.4] },
      y: { range: [-0.5, Math.max(neurons, 1) - 0.5] },
    },
    axes: [
      titledAxis('step', { size: 20, incrs: [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1_024] }),
      titledAxis(names ? 'class' : 'neuron', {
        size: size - 16,
        ...(names
          ? { space: 1, incrs: [1], values: (_plot, ticks) => ticks.map((tick) => shortened(names[tick] ?? '')) }
          : { incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000] }),
      }),
    ],
    series: [
      {},
      {
        stroke: colour('accent'),
        paths: () => null,
        points: { show: true, size: neurons > 200 ? 2.5 : 4, width: 0, fill: colour('accent') },
      },
    ],
  }));
}

const MAX_NAME_CHARS = 18;

/** A canvas does not wrap lines. */
function shortened(name) {
  return name.length > MAX_NAME_CHARS ? `${name.slice(0, MAX_NAME_CHARS - 1)}…` : name;
}
