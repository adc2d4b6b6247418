// Pictures of pages, for people to look at and for the guides.

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import { world } from './world.mjs';

const WIDTHS = { 1280: 800, 390: 844 };
/** Hiding the caret would leave style attributes behind, which a later swap of htmx violates the page's policy with. */
const caret = 'initial';

/** Pictures of the page, or of one thing on it: wide and narrow, light and dark, as `screenshots/<language>/<name>-…`. */
export async function picture(page, name, { of, only } = {}) {
  if (!world.screenshots) return;
  const language = await page.locator('html').getAttribute('lang');
  const folder = join(world.screenshots, language ?? 'none');
  mkdirSync(folder, { recursive: true });
  const before = page.viewportSize();
  for (const colorScheme of ['dark', 'light']) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    for (const [width, height] of Object.entries(WIDTHS)) {
      if (only && only !== Number(width)) continue;
      await page.setViewportSize({ width: Number(width), height });
      const file = join(folder, `${name}-${width}-${colorScheme}.png`);
      if (of) await page.locator(of).first().screenshot({ path: file, caret });
      else {
        await page.evaluate(() => scrollTo(0, 0));
        await page.screenshot({ path: file, caret, fullPage: true });
      }
    }
  }
  await page.setViewportSize(before);
}
