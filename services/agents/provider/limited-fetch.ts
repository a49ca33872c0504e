// fetch for a server that may be hostile: no redirects, which would send the key to another host, and no endless
// answers.
import { ProviderFailure } from './provider.ts';

/** `fetchOver`: replaces fetch in tests. */
export function limitedFetch(maxBytes: number, fetchOver: typeof fetch = fetch): typeof fetch {
  return async (input, init) => {
    const response = await fetchOver(input, { ...init, redirect: 'manual' });
    if (response.status >= 300 && response.status < 400) {
      await response.body?.cancel();
      throw new ProviderFailure(
        'PROVIDER_ERROR',
        'the provider redirects; set agents.provider.base_url to its address',
      );
    }
    if (response.body === null) return response;
    const body = response.body.pipeThrough(atMost(maxBytes));
    return new Response(body, { status: response.status, headers: response.headers });
  };
}

function atMost(maxBytes: number): TransformStream<Uint8Array, Uint8Array> {
  let bytes = 0;
  return new TransformStream({
    transform(chunk, controller) {
      bytes += chunk.byteLength;
      if (bytes <= maxBytes) controller.enqueue(chunk);
      else controller.error(new ProviderFailure('MALFORMED', `the answer has more than ${maxBytes} bytes`, BILLED));
    },
  });
}

const BILLED = { isBilled: true } as const;
