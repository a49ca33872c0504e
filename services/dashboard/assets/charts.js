// uPlot in the page's own colours and sizes. A chart is made once and given new data; it keeps its height from the start.
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

export function axis(over = {}) {
  return {
    stroke: colour('dim'),
    font: '11px system-ui, sans-serif',
    grid: { stroke: colour('grid'), width: 1 },
    ticks: { show: false },
    gap: 4,
    ...over,
  };
}

/** Lines over the last two minutes. `series`: name, colour of style.css, and whether the area below is filled. */
export function timeChart(label, series, format) {
  return chart(label, 180, () => ({
    padding: [8, 16, 0, 0],
    legend: { live: false, show: series.length > 1 },
    cursor: { y: false, drag: { x: false, y: false }, points: { show: false } },
    scales: {
      x: { time: false, range: [-120, 0] },
      y: { range: (_plot, _min, max) => [0, max > 0 ? max * 1.1 : 1] },
    },
    axes: [
      axis({ size: 24, incrs: [30], values: (_plot, ticks) => ticks.map((s) => (s === 0 ? 'now' : `${s} s`)) }),
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
      })),
    ],
  }));
}

/** Upright bars at 0, 1, 2, … ; `name` says what stands under a bar. */
export function barChart(label, height, { name, format, stroke = 'accent' }) {
  return chart(label, height, () => ({
    padding: [8, 8, 0, 0],
    legend: { show: false },
    cursor: { show: false },
    scales: {
      x: { time: false, range: (_plot, min, max) => [min - 0.6, max + 0.6] },
      y: { range: (_plot, _min, max) => [0, max > 0 ? max * 1.1 : 1] },
    },
    axes: [
      axis({ size: 24, incrs: [1, 2, 4, 8, 16, 32], values: (_plot, ticks) => ticks.map(name), grid: { show: false } }),
      axis({ size: 58, values: (_plot, ticks) => ticks.map((tick) => format(tick)) }),
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

/** Which neuron fired when: a point for each spike. */
export function rasterChart(label, height, steps, neurons) {
  return chart(label, height, () => ({
    padding: [8, 8, 0, 0],
    legend: { show: false },
    cursor: { show: false },
    scales: {
      x: { time: false, range: [-0.6, Math.max(steps, 1) - 0.4] },
      y: { range: [-0.5, Math.max(neurons, 1) - 0.5] },
    },
    axes: [
      axis({ size: 24, incrs: [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1_024] }),
      axis({ size: 58, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000] }),
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
