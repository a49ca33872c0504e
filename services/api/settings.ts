// SettingsService: the settings of the running router.
import { RouterError } from '../core/errors.ts';
import {
  type ReloadSettingsRequest,
  type ReloadSettingsResponse,
  SettingsServiceService,
} from '../generated/tandem/v1/settings.ts';
import type { Method } from '../grpc/method.ts';
import { decoding } from './decoding.ts';
import { methodsOf } from './methods.ts';
import { checkPlain } from './request-limits.ts';
import { type UnaryOptions, unary } from './unary.ts';

/** `changes`: one line for each setting. `refused`: the reason if none was applied, else undefined. */
export interface Reloaded {
  readonly changes: readonly string[];
  readonly refused: string | undefined;
}

export interface SettingsOptions extends UnaryOptions {
  readonly reload: () => Promise<Reloaded>;
}

const settingsService = decoding(SettingsServiceService, { reloadSettings: checkPlain });

export function settingsMethods(options: SettingsOptions): Method[] {
  return methodsOf(settingsService, {
    reloadSettings: unary<ReloadSettingsRequest, ReloadSettingsResponse>(options, async (_request, { startedMs }) => {
      const { changes, refused } = await options.reload();
      if (refused !== undefined) throw new RouterError('SETTINGS_REFUSED', refused);
      return { changes: [...changes], processingTimeMs: performance.now() - startedMs };
    }),
  });
}
