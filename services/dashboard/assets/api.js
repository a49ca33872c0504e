// Fetches the router's JSON once, or repeatedly while the page is visible.

/** Rejects with an Error that has a message for people. */
export async function ask(path, options) {
  let response;
  try {
    response = await fetch(path, options);
  } catch {
    throw new Error('The router does not answer. Is it running?');
  }
  const body = await response.json().catch(() => ({ message: `the router answered with ${response.status}` }));
  if (response.ok) return body;
  throw Object.assign(new Error(body.message ?? String(response.status)), { reason: body.reason });
}

/** Returns a function that stops it. */
export function poll(path, intervalMs, onBody, onError) {
  let isOver = false;
  let timer;
  const tick = async () => {
    try {
      const body = document.hidden ? undefined : await ask(path);
      if (!isOver && body !== undefined) onBody(body);
    } catch (error) {
      if (!isOver) onError(error);
    }
    if (!isOver) timer = setTimeout(tick, intervalMs);
  };
  void tick();
  return () => {
    isOver = true;
    clearTimeout(timer);
  };
}
