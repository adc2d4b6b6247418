// What somebody does in the console, by what they see there.

import assert from 'node:assert/strict';

import { eventually, world } from './world.mjs';
import { WORDS } from './words.mjs';

const PASSWORD = 'nine green bicycles';

/** The words of the language that somebody reads. */
export const wordsOf = (person) => WORDS[person.language];

/** Signs in by the form. */
export async function signIn(person, { email, password } = administrator()) {
  const { page } = person;
  await page.goto('/sign-in');
  await page.locator('input[name=email]').fill(email);
  await page.locator('input[name=password]').fill(password);
  await page.locator('form:has(input[name=password]) button').click();
  await page.locator('nav#navigation').waitFor({ state: 'attached' });
}

/** The company's administrator, as the stack was prepared. */
export function administrator() {
  const { admin_email: email, admin_password: password } = world.company;
  assert.ok(email && password, 'the company has no administrator');
  return { email, password };
}

/** Accepts an invitation, which signs in as well. */
export async function acceptInvitation({ page }, link, name, password) {
  await page.goto(link);
  await page.locator('input[name=name]').fill(name);
  for (const field of await page.locator('input[type=password]').all()) await field.fill(password);
  await page.locator('form:has(input[type=password]) button').click();
  await page.locator('nav#navigation').waitFor({ state: 'attached' });
}

/** Enters the console: the administrator by signing in, somebody who reads French by an invitation of their own. */
export const enter = (person) =>
  person.language === 'fr' ? acceptInvitation(person, world.french_invitation, 'Claire Moreau', PASSWORD) : signIn(person);

/** Follows the main navigation. */
export async function follow({ page }, name) {
  const menu = page.locator('[data-menu]');
  if (await menu.isVisible()) await menu.click();
  await page.locator('nav#navigation').getByRole('link', { name, exact: true }).click();
  await page.locator('h1').first().waitFor();
}

/** Goes to Settings > Company profile > General > Azure user synchronization, as the tutorial says. */
export async function openAzureSettings(person) {
  const words = wordsOf(person);
  await follow(person, words.companyProfile);
  assert.equal(await person.page.getByRole('link', { name: words.general, exact: true }).getAttribute('aria-current'), 'page');
  await azureSection(person).scrollIntoViewIfNeeded();
}

/** The section that the tutorial sends people to. */
export const azureSection = (person) => person.page.getByRole('region', { name: wordsOf(person).azure });

/** Presses a Copy button and returns what the clipboard then holds. */
export async function copy(person, within, button) {
  // All people of a run share the clipboard, and somebody may have copied the same before.
  const nothing = 'nothing was copied yet';
  await person.page.evaluate((text) => navigator.clipboard.writeText(text), nothing);
  await within.getByRole('button', { name: button, exact: true }).click();
  await person.page.getByText(wordsOf(person).copied).waitFor();
  // The words may still be those of the copy before.
  return eventually(`${button} copies something`, async () => {
    const after = await person.clipboard();
    return after !== nothing && after;
  });
}

/** The two values that the tutorial has copied, by their buttons. */
export async function copyConnection(person, within = azureSection(person)) {
  const words = wordsOf(person);
  const tenantUrl = await copy(person, within, words.copyUrl);
  const secretToken = await copy(person, within, words.copyToken);
  return { tenantUrl, secretToken };
}

/** A counter of the cycle that is shown, as a number. */
export async function counter({ page }, name) {
  const counters = page.locator('.counter').filter({ has: page.getByText(name, { exact: true }) });
  return Number((await counters.locator('dd').innerText()).replace(/\D/g, ''));
}

/** Marks a page, and says later whether it is still the same one: whatever changed has changed without loading it anew. */
export async function withoutReloading({ page }) {
  await page.evaluate(() => (globalThis.notReloaded = true));
  return async () => assert.equal(await page.evaluate(() => globalThis.notReloaded), true, 'the page was loaded anew');
}
