// The dashboard in a real browser with a fake router, for states that a live router rarely has.
import { describe, expect, it, jest } from '@jest/globals';
import { HttpServer } from '../../services/dashboard/http-server.ts';
import { HOSTILE_SHOWN, TRACE_ID, fakeAnswer, fakeSources } from '../fakes/fake-dashboard.ts';
import { overflow } from './browser.ts';
import { useBrowser } from './browser-tests.ts';
import { goTo } from './page-figures.ts';

jest.setTimeout(120_000); // each test opens many pages

const { open, opened, shoot } = useBrowser();

function options(listen: string): ConstructorParameters<typeof HttpServer>[1] {
  return { listen, maxBodyBytes: 100_000, timeoutMs: 5_000, onInternalError: () => undefined };
}

describe('a router that stops and starts', () => {
  it('shows that the router is gone, and recovers when it returns', async () => {
    const own = new HttpServer(fakeSources(), options('127.0.0.1:0'));
    const address = await own.start();
    const page = await open(`http://${address}/`);
    await page.getByText('Live', { exact: true }).waitFor();
    await own.stop(0);
    await page.getByText(/Connection lost/).waitFor();
    const again = new HttpServer(fakeSources(), options(address));
    await again.start();
    await page.getByText('Live', { exact: true }).waitFor();
    await again.stop(0);
  });
});

describe('a dispute that was located', () => {
  it.each([
    ['light', { colorScheme: 'light' }],
    ['dark', { colorScheme: 'dark' }],
    ['phone', { colorScheme: 'light', viewport: { width: 360, height: 740 } }],
  ] as const)('shows what both engines did around the first difference: %s', async (name, options_) => {
    const server = new HttpServer(fakeSources(), options('127.0.0.1:0'));
    const page = await open(`http://${await server.start()}/`, options_);
    await goTo(page, 'Votes & disputes');
    const dispute = page.locator('details.dispute').first();
    await dispute.locator('summary').click();
    await dispute.getByText(/differed from engine-1 first at step 2/).waitFor();
    await dispute.getByText('step 2: the state began to differ').waitFor();
    const pictures = dispute.getByRole('img', { name: /^Spikes of node .* neurons 0 to 19, steps 0 to 11$/ });
    expect(await pictures.count()).toBe(2);
    const squares = (which: number, kind: string) =>
      pictures
        .nth(which)
        .locator(`path.${kind}`)
        .getAttribute('d')
        .then((d) => (d?.split('z').length ?? 0) - 1);
    // Neuron 5 spikes from step 4 to step 11 in the dissenter only.
    expect(await squares(0, 'own')).toBe(8);
    expect(await squares(1, 'other')).toBe(0);
    expect(await squares(0, 'both')).toBe(await squares(1, 'both'));
    expect(await overflow(page)).toBe(0);
    await shoot(page, `${name}-dispute-located`);
    expect(opened[0]?.complaints).toEqual([]);
    await server.stop(0);
  });
});

describe('names with markup or direction marks', () => {
  it('are shown as plain text on every page', async () => {
    const reason = async () => ({ code: 'OK', body: fakeAnswer() });
    const server = new HttpServer(fakeSources({ reason }), options('127.0.0.1:0'));
    const base = `http://${await server.start()}/`;
    const page = await open(base, { viewport: { width: 360, height: 740 } });
    await page.getByText('Live', { exact: true }).waitFor();
    for (const each of ['Overview', 'Engines', 'Votes & disputes', 'Models', 'Sessions', 'Traces', 'Events']) {
      await goTo(page, each);
      await page.getByText(HOSTILE_SHOWN).filter({ visible: true }).first().waitFor();
      expect([each, await overflow(page)]).toEqual([each, 0]);
    }
    await page.goto(`${base}#/traces/${TRACE_ID}`);
    const legend = page.getByRole('list', { name: 'Who recorded the spans' });
    await legend.getByText('router', { exact: true }).waitFor();
    await legend.getByText(HOSTILE_SHOWN).waitFor();
    const colourOf = (at: number) =>
      page.evaluate<string>(`getComputedStyle(document.querySelectorAll('.swatch')[${at}]).backgroundColor`);
    expect(await colourOf(1)).not.toBe(await colourOf(0));
    await page.getByText(`attempt ${HOSTILE_SHOWN}`).click();
    await page.getByText(`reason=${HOSTILE_SHOWN}`).waitFor();
    expect(await overflow(page)).toBe(0);
    await goTo(page, 'Try a request');
    await page.getByRole('button', { name: 'Send' }).click();
    await page.locator('.conclusion').getByText(HOSTILE_SHOWN).waitFor();
    expect(await page.locator('canvas').count()).toBe(4); // a raster and a count for each of two layers
    expect(await overflow(page)).toBe(0);
    await shoot(page, 'phone-answer-hostile');
    expect(await page.title()).not.toContain('hacked');
    expect(await page.locator('main img').count()).toBe(0);
    expect(opened[0]?.complaints).toEqual([]);
    await server.stop(0);
  });
});
