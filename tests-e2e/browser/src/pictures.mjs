// Pictures of pages, for people to look at and for the guides.

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import { world } from './world.mjs';

const WIDTHS = { 1280: 800, 390: 844 };
/** Hiding the caret would leave style attributes behind, which a later swap of htmx violates the page's policy with. */
const caret = 'initial';

/** What the tenant URL is where administrators live. A stack for tests has a port of its own, which would be copied. */
const TENANT_URL = 'https://live.timeclock365.com/scim';

/** Shows the tenant URL of production in the page, and returns what it was. */
const showTenantUrl = (page, url) =>
  page.evaluate((shown) => {
    const field = document.querySelector('#tenant-url');
    const before = field?.value;
    if (field && shown) field.value = shown;
    return before;
  }, url);

/** Pictures of the page, of what is seen of it, or of one thing on it: wide and narrow, light and dark, as `screenshots/<language>/<name>-…`. */
export async function picture(page, name, { of, isWhole = true } = {}) {
  if (!world.screenshots) return;
  const language = await page.locator('html').getAttribute('lang');
  const folder = join(world.screenshots, language ?? 'none');
  mkdirSync(folder, { recursive: true });
  const before = page.viewportSize();
  const tenantUrl = await showTenantUrl(page, TENANT_URL);
  for (const colorScheme of ['dark', 'light']) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    for (const [width, height] of Object.entries(WIDTHS)) {
      await page.setViewportSize({ width: Number(width), height });
      // Again for each, because what is live may have been replaced.
      await showTenantUrl(page, TENANT_URL);
      const file = join(folder, `${name}-${width}-${colorScheme}.png`);
      if (of) await page.locator(of).first().screenshot({ path: file, caret });
      else {
        await page.evaluate(() => scrollTo(0, 0));
        await page.screenshot({ path: file, caret, fullPage: isWhole });
      }
    }
  }
  await page.setViewportSize(before);
  await showTenantUrl(page, tenantUrl);
}
