// A router that handles each request separately, also of a batch or a stream.
import type { Router } from '../../services/routing/router.ts';

export function loneRouter(reason: (...args: Parameters<Router['reason']>) => Promise<unknown>): Router {
  return { reason, reasonInSession: reason, reasonTogether: (items: readonly unknown[]) => items } as unknown as Router;
}
