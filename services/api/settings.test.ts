import { describe, expect, it } from '@jest/globals';
import { callMethod, unaryOptions } from '../../test/fakes/call-method.ts';
import { refusalOf } from '../../test/support/refusal.ts';
import { type ReloadSettingsResponse, SettingsServiceService } from '../generated/tandem/v1/settings.ts';
import { type Reloaded, settingsMethods } from './settings.ts';

function reload(reloaded: Reloaded): Promise<ReloadSettingsResponse> {
  const methods = settingsMethods({ ...unaryOptions(), reload: () => Promise.resolve(reloaded) });
  return callMethod(methods, SettingsServiceService.reloadSettings, {});
}

describe('ReloadSettings', () => {
  it('returns one line for each change', async () => {
    expect((await reload({ changes: ['a', 'b'], refused: undefined })).changes).toEqual(['a', 'b']);
  });

  it('fails with the reason if the settings were refused', async () => {
    expect(await refusalOf(reload({ changes: [], refused: 'line 3: no such setting' }))).toMatchObject({
      ...{ code: 'FAILED_PRECONDITION', reason: 'SETTINGS_REFUSED', message: 'line 3: no such setting' },
    });
  });
});
