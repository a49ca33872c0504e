// Reads the figures of the dashboard from its pages.
import type { Page } from 'playwright-core';

/** By its link in the navigation. */
export async function goTo(page: Page, name: string): Promise<void> {
  await page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name, exact: true }).click();
  await page.getByRole('heading', { level: 1, name, exact: true }).waitFor();
}

/** The rows of the panel's table. Keys: its headings. */
export async function rowsOf(page: Page, panel: string): Promise<Record<string, string>[]> {
  const table = panelOf(page, panel).locator('table');
  const names = await table.locator('th').allTextContents();
  const rows = await table.locator('tbody tr').all();
  return await Promise.all(
    rows.map(async (row) => {
      const cells = await row.locator('td').allTextContents();
      return Object.fromEntries(names.map((name, index) => [name, cells[index] ?? '']));
    }),
  );
}

/** Names and counts of the panel's bars. */
export async function barsOf(page: Page, panel: string): Promise<Record<string, number>> {
  const names = await panelOf(page, panel).locator('.shares > :nth-child(odd)').allTextContents();
  const counts = await panelOf(page, panel).locator('.shares .meter-text').allTextContents();
  return Object.fromEntries(names.map((name, index) => [name, toCount(counts[index]!)]));
}

/** Names and values of the tiles within the article, or the page. */
export async function tilesOf(page: Page, article?: string): Promise<Record<string, { value: string; note: string }>> {
  const within = article === undefined ? page.locator('main') : articleOf(page, article);
  const tiles = await within.locator('.tile').all();
  return Object.fromEntries(
    await Promise.all(
      tiles.map(async (tile) => {
        const [name = '', value = '', note = ''] = await tile.locator('span').allTextContents();
        return [name, { value, note }] as const;
      }),
    ),
  );
}

/** Names and values of the facts in the panel, or the article. */
export async function factsOf(page: Page, name: string): Promise<Record<string, string>> {
  const within = panelOf(page, name).or(articleOf(page, name));
  const [names, values] = await Promise.all([
    within.locator('dt').allTextContents(),
    within.locator('dd').allTextContents(),
  ]);
  return Object.fromEntries(names.map((each, index) => [each, values[index] ?? '']));
}

/** "1,234" → 1234 */
export function toCount(text: string): number {
  return Number(text.replaceAll(',', ''));
}

const MS_PER_UNIT: Readonly<Record<string, number>> = { µs: 1e-3, ms: 1, s: 1e3 };

/** "1.23 ms" → 1.23 */
export function toMs(text: string): number {
  const [value = '', unit = ''] = text.split(' ');
  return toCount(value) * (MS_PER_UNIT[unit] ?? NaN);
}

function panelOf(page: Page, name: string): ReturnType<Page['locator']> {
  return page.locator('section.panel').filter({ has: page.getByRole('heading', { name, exact: true }) });
}

function articleOf(page: Page, name: string): ReturnType<Page['locator']> {
  return page.getByRole('article').filter({ has: page.getByRole('heading', { name, exact: true }) });
}
