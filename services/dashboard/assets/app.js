// The frame around the pages: navigation, the state of the live connection, light or dark theme.
import { fill, h } from './dom.js';
import { connect, live, watch } from './live.js';
import * as engines from './pages/engines.js';
import * as events from './pages/events.js';
import * as learning from './pages/learning.js';
import * as models from './pages/models.js';
import * as overview from './pages/overview.js';
import * as request from './pages/request.js';
import * as sessions from './pages/sessions.js';
import * as traces from './pages/traces.js';
import * as tryPage from './pages/try.js';
import * as votes from './pages/votes.js';

/** In the order of the navigation. A page's `start(root, rest)` shows it and may return `{update(live), stop()}`. */
const PAGES = [
  { path: '', name: 'Overview', page: overview },
  { path: 'engines', name: 'Engines', page: engines },
  { path: 'votes', name: 'Votes & disputes', page: votes },
  { path: 'models', name: 'Models', page: models },
  { path: 'sessions', name: 'Sessions', page: sessions },
  { path: 'learning', name: 'Learning', page: learning },
  { path: 'traces', name: 'Traces', page: traces },
  { path: 'events', name: 'Events', page: events },
  { path: 'request', name: 'Request', page: request },
  { path: 'try', name: 'Try a request', page: tryPage },
];
const STATES = {
  connecting: ['Connecting…', 'dim'],
  live: ['Live', 'good'],
  lost: ['Connection lost, trying again…', 'bad'],
  paused: ['Paused', 'dim'],
};
const THEMES = ['', 'light', 'dark'];

const main = document.getElementById('main');
const nav = document.getElementById('nav');
let shown;

function show({ isFirst = false } = {}) {
  const [path, ...rest] = location.hash.replace(/^#\/?/, '').split('/');
  const found = PAGES.find((each) => each.path === path) ?? PAGES[0];
  shown?.stop?.();
  const root = h('div', { class: `page page-${found.path || 'overview'}` });
  main.replaceChildren(root);
  document.title = `${found.name} · Tandem`;
  fill(
    nav,
    ...PAGES.map(({ path, name }) =>
      h('a', { href: `#/${path}`, 'aria-current': path === found.path ? 'page' : undefined }, name),
    ),
    h('a', { href: '/docs/' }, 'Documentation'),
  );
  nav.querySelector('[aria-current]').scrollIntoView({ block: 'nearest', inline: 'center' });
  shown = found.page.start(root, rest) ?? {};
  if (live.last) shown.update?.(live);
  // Moves the focus to the start of the new page, for screen readers and keyboards.
  if (!isFirst) {
    main.focus({ preventScroll: true });
    scrollTo(0, 0);
  }
}

function showState() {
  const [text, tone] = STATES[live.state];
  const status = document.getElementById('status');
  if (status.textContent !== text) status.textContent = text;
  status.className = `status ${tone}`;
}

function showTheme(theme) {
  document.documentElement.dataset.theme = theme;
  document.getElementById('theme').textContent = `Theme: ${theme || 'system'}`;
  document.dispatchEvent(new Event('themechange'));
}

document.getElementById('theme').addEventListener('click', () => {
  const at = THEMES.indexOf(document.documentElement.dataset.theme);
  const theme = THEMES[(at + 1) % THEMES.length];
  localStorage.setItem('tandem-theme', theme);
  showTheme(theme);
});
document.getElementById('skip').addEventListener('click', (event) => {
  event.preventDefault(); // the part after "#" names the page
  main.focus();
});
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
  document.dispatchEvent(new Event('themechange'));
});
addEventListener('hashchange', () => show());
watch(() => {
  showState();
  if (live.state === 'live') shown?.update?.(live);
});
showTheme(document.documentElement.dataset.theme);
show({ isFirst: true });
connect();
