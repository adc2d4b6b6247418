// Somebody at a browser of their own, watched by every guard.

import { after, before } from 'node:test';

import { assertAccessible } from './accessibility.mjs';
import { launch } from './chromium.mjs';
import { guard } from './guards.mjs';
import { PATIENCE_MS, world } from './world.mjs';

let browser;

/** Starts the browser of a test file before its tests, and ends it after them. */
export function useBrowser() {
  before(async () => {
    browser = await launch();
  });
  after(() => browser?.close());
}

/** Somebody with nothing in their browser yet, in one language; what they do goes into `acts`. */
export async function withPerson({ language = 'en', width = 1280, height = 800 }, acts) {
  const context = await browser.newContext({
    locale: language === 'fr' ? 'fr-FR' : 'en-GB',
    timezoneId: 'Europe/Paris',
    viewport: { width, height },
    baseURL: world.console_url,
    reducedMotion: 'reduce',
  });
  context.setDefaultTimeout(PATIENCE_MS);
  try {
    await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: world.console_url });
    const guards = await guard(context);
    const page = await context.newPage();
    const failure = await acts(at(page, { context, language, expect: guards.expect })).then(
      () => undefined,
      (error) => error,
    );
    guards.assertQuiet(failure);
  } finally {
    await context.close();
  }
}

/** Somebody at one of their windows. */
function at(page, person) {
  return {
    ...person,
    page,
    clipboard: async () => {
      // Only the window in front may read it.
      await page.bringToFront();
      return page.evaluate(() => navigator.clipboard.readText());
    },
    assertAccessible: (name) => assertAccessible(page, name),
    another: async () => at(await person.context.newPage(), person),
  };
}
