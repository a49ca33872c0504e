import { beforeEach, describe, expect, it } from '@jest/globals';
import { loadSettings } from '../config/load.ts';
import type { Settings } from '../config/schema.ts';
import { type LiveParts, LiveSettings } from './live-settings.ts';

const before = loadSettings({ env: {}, args: [] } as Parameters<typeof loadSettings>[0]);
