// The live snapshot: one stream for the whole page, closed while the page is hidden.

export const live = {
  /** The newest snapshot; undefined until there is one. */
  last: undefined,
  /** "connecting" | "live" | "lost" | "paused" */
  state: 'connecting',
};
const listeners = new Set();
let stream;

/** Calls `listener` after every snapshot and every change of state. Returns a function that stops it. */
export function watch(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function connect() {
  document.addEventListener('visibilitychange', () => (document.hidden ? pause() : open()));
  addEventListener('pagehide', pause);
  open();
}

function open() {
  stream?.close();
  stream = new EventSource('/api/stream');
  stream.onmessage = ({ data }) => {
    live.last = JSON.parse(data);
    tell('live');
  };
  stream.onerror = () => {
    tell('lost');
    // A browser does not reconnect by itself after a response that is not a stream, such as a refusal.
    if (stream.readyState === EventSource.CLOSED) setTimeout(() => !document.hidden && open(), 3_000);
  };
}

function pause() {
  stream?.close();
  tell('paused');
}

function tell(state) {
  live.state = state;
  for (const listener of listeners) listener(live);
}
