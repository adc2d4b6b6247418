// Every page, for everybody: in one language at a time, for those who cannot see or point, in the dark, on a phone.

import assert from 'node:assert/strict';
import { userInfo } from 'node:os';
import { test } from 'node:test';

import { enter, signIn } from '../src/console.mjs';
import { assertSucceeded, runCycle } from '../src/entra.mjs';
import { useBrowser, withPerson } from '../src/person.mjs';
import { picture } from '../src/pictures.mjs';
import { untranslated } from '../src/translation.mjs';
import { eventually, world } from '../src/world.mjs';

const OUTSIDE = ['/sign-in', '/login'];
const INSIDE = [
  '/', '/people', '/people?search=nobody+has+this+name', '/groups', '/provisioning', '/provisioning/cycles', '/provisioning/brakes',
  '/provisioning?search=nobody+has+this+name', '/settings/company', '/settings/single-sign-on', '/settings/administrators', '/connect', '/audit',
  '/account', '/nowhere',
];
/** Pages of one thing, each found by the first link of its kind on another page. */
const ONE = { '/people': 'a[href^="/people/"]', '/groups': 'a[href^="/groups/"]', '/provisioning': 'a[href^="/provisioning/requests/"]' };

/** Who acted so far: people, and the operator under the name of their account on this machine. */
const NAMES = [world.company.name, `Admin of ${world.company.name}`, 'Claire Moreau', userInfo().username];

useBrowser();

const nameOf = (path) => path.replace(/[0-9a-f-]{36}/, 'one').replace(/[^a-z]+/g, '-').replace(/^-|-$/g, '') || 'overview';

/** What is wrong with a page as somebody sees it. */
async function problems(person, path) {
  const { page } = person;
  const found = [];
  await page.goto(path);
  if ((await page.locator('html').getAttribute('lang')) !== person.language) found.push('it is in another language');
  if ((await page.locator('h1').count()) !== 1) found.push('it has not one main heading');
  for (const [width, height] of [[1280, 800], [360, 740]]) {
    await page.setViewportSize({ width, height });
    const tooWide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    if (tooWide > 0) found.push(`it is ${tooWide} pixels too wide at ${width}`);
    await person.assertAccessible(`it at ${width}`).catch((error) => found.push(error.message));
  }
  await page.setViewportSize({ width: 1280, height: 800 });
  await picture(page, `page-${nameOf(path)}`);
  return found.map((problem) => `${path} in ${person.language}: ${problem}`);
}

/** What is wrong with pages, one by one and both languages side by side. */
async function compare(english, french, paths) {
  const found = [];
  for (const path of paths) {
    found.push(...(await Promise.all([problems(english, path), problems(french, path)])).flat());
    // The heading of one person or group is its name.
    const names = /[0-9a-f-]{36}$/.test(path) ? await english.page.locator('h1').allInnerTexts() : [];
    const same = await untranslated(english.page, french.page, [...NAMES, ...names]);
    found.push(...same.map((text) => `${path} says in both languages: ${text}`));
  }
  return found;
}

test('every page is sound in both languages, in both colour schemes, wide and narrow', async () => {
  const { scim_url: tenantUrl, company } = world;
  const connection = { tenantUrl, secretToken: company.scim_token };
  assertSucceeded(await runCycle(connection, ['--users', 12, '--groups', 2, '--incremental', 1]));

  await withPerson({ language: 'en' }, (english) =>
    withPerson({ language: 'fr' }, async (french) => {
      // There is no such page, and the browser says so too.
      for (const person of [english, french]) person.expect(/console: .* 404 .*\/nowhere/);
      const wrong = await compare(english, french, OUTSIDE);
      await enter(english);
      await enter(french);
      await eventually('the log has arrived', async () => {
        await english.page.goto('/provisioning');
        return english.page.locator(ONE['/provisioning']).first().isVisible();
      });
      const found = [];
      for (const [path, link] of Object.entries(ONE)) {
        await english.page.goto(path);
        found.push(await english.page.locator(link).first().getAttribute('href'));
      }
      wrong.push(...(await compare(english, french, [...INSIDE, ...found])));
      if (wrong.length > 0) throw new Error(wrong.join('\n'));
    }),
  );
});

test('the language is changed on the page, and stays changed', () =>
  withPerson({ language: 'en' }, async (person) => {
    const { page } = person;
    await signIn(person);
    await page.getByRole('button', { name: 'Français' }).click();
    await page.getByRole('heading', { level: 1, name: 'Vue d’ensemble' }).waitFor();
    await page.goto('/people');
    assert.equal(await page.locator('html').getAttribute('lang'), 'fr');
    await page.getByRole('button', { name: 'English' }).click();
    await page.getByRole('heading', { level: 1, name: 'People' }).waitFor();
  }));

test('on a phone the menu leads everywhere', () =>
  withPerson({ language: 'en', width: 390, height: 844 }, async (person) => {
    const { page } = person;
    await signIn(person);
    for (const name of ['People', 'Provisioning activity', 'Company profile', 'Audit log']) {
      const menu = page.getByRole('button', { name: 'Menu' });
      assert.equal(await menu.getAttribute('aria-expanded'), 'false');
      await menu.click();
      await page.locator('nav#navigation').getByRole('link', { name, exact: true }).click();
      await page.getByRole('heading', { level: 1, name }).waitFor();
    }
  }));
