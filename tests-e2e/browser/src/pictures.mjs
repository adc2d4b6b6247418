// Pictures of pages, for people to look at and for the guides.

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import { world } from './world.mjs';

const WIDTHS = { 1280: 800, 390: 844 };
/** Hiding the caret would leave style attributes behind, which a later swap of htmx violates the page's policy with. */
const caret = 'initial';

/**
 * Addresses here, and what stands in their place where administrators live. A stack for tests has ports of its own, which
 * would be copied out of a guide. What is in another one comes after it.
 */
const addresses = () =>
  [
    [world.scim_url, 'https://live.timeclock365.com/scim'],
    [world.console_url, 'https://live.timeclock365.com'],
    [world.identity_provider?.url, 'https://login.contoso.example'],
    [world.openid_provider, 'https://login.contoso.example'],
  ].filter(([here]) => here);

/** Replaces each address in the page's fields and texts by its counterpart. */
const replaceAddresses = (page, pairs) =>
  page.evaluate((pairs) => {
    const replaced = (text) => pairs.reduce((text, [one, other]) => text.replaceAll(one, other), text);
    const replace = (holder, key) => {
      if (replaced(holder[key]) !== holder[key]) holder[key] = replaced(holder[key]);
    };
    for (const field of document.querySelectorAll('input, textarea')) replace(field, 'value');
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) replace(texts.currentNode, 'nodeValue');
  }, pairs);

/** Pictures of the page, of what is seen of it, or of one thing on it: wide and narrow, light and dark, as `screenshots/<language>/<name>-…`. */
export async function picture(page, name, { of, isWhole = true } = {}) {
  if (!world.screenshots) return;
  const language = await page.locator('html').getAttribute('lang');
  const folder = join(world.screenshots, language ?? 'none');
  mkdirSync(folder, { recursive: true });
  const before = page.viewportSize();
  const pairs = addresses();
  for (const colorScheme of ['dark', 'light']) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    for (const [width, height] of Object.entries(WIDTHS)) {
      await page.setViewportSize({ width: Number(width), height });
      // Again for each, because what is live may have been replaced.
      await replaceAddresses(page, pairs);
      const file = join(folder, `${name}-${width}-${colorScheme}.png`);
      if (of) await page.locator(of).first().screenshot({ path: file, caret });
      else {
        await page.evaluate(() => scrollTo(0, 0));
        await page.screenshot({ path: file, caret, fullPage: isWhole });
      }
    }
  }
  await page.setViewportSize(before);
  await replaceAddresses(page, pairs.map(([here, shown]) => [shown, here]));
}
