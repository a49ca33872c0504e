// One browser for the tests of a file, and the pages that a test opens.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { type Visit, openBrowser, visit } from './browser.ts';

/** The folder for screenshots. Unset: none are taken. */
const SHOTS = process.env['SHOTS'];

interface BrowserTests {
  /** The pages that this test has opened. They are closed after it. */
  readonly opened: readonly Visit[];
  readonly takesShots: boolean;
  open(base: string, options?: Parameters<typeof visit>[2]): Promise<Page>;
  shoot(page: Page, name: string): Promise<void>;
}

/** For the top of a test file. */
export function useBrowser(): BrowserTests {
  let browser: Browser;
  const opened: Visit[] = [];

  beforeAll(async () => {
    browser = await openBrowser();
  });

  afterAll(async () => {
    await browser.close();
  });

  afterEach(async () => {
    for (const { page } of opened.splice(0)) await page.context().close();
  });

  return {
    opened,
    takesShots: SHOTS !== undefined,
    open: async (base, options = {}) => {
      const visited = await visit(browser, base, options);
      opened.push(visited);
      return visited.page;
    },
    shoot: async (page, name) => {
      if (SHOTS === undefined) return;
      mkdirSync(SHOTS, { recursive: true });
      await page.waitForTimeout(300);
      await page.screenshot({ path: join(SHOTS, `${name.replace(/\W+/g, '-').toLowerCase()}.png`), fullPage: true });
    },
  };
}
