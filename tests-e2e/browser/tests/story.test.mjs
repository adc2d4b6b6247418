// "Where is Anna?": an administrator finds out what happened to one person, and why.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { enter, follow, wordsOf } from '../src/console.mjs';
import { useBrowser, withPerson } from '../src/person.mjs';
import { picture } from '../src/pictures.mjs';
import * as scim from '../src/scim.mjs';
import { eventually } from '../src/world.mjs';

useBrowser();

test('a person is found, with everything that Entra asked and what changed from what to what', async () => {
  const anna = {
    userName: 'x7431@contoso.com',
    displayName: 'Anna Berg',
    title: 'Clerk',
  };
  const created = await scim.create(anna);
  assert.equal(created.status, 201);
  assert.equal((await scim.replace(created.body.id, 'title', 'Shift supervisor')).status, 200);
  assert.equal((await scim.replace(created.body.id, 'displayName', 'Anna Lindqvist')).status, 200);
  assert.equal((await scim.replace(created.body.id, 'active', 'False')).status, 200);
  const second = await scim.create({ ...anna, displayName: 'Anna Berger' });
  assert.equal(second.status, 409);

  for (const language of ['en', 'fr']) {
    await withPerson({ language }, async (person) => {
      const { page } = person;
      const french = language === 'fr';
      await enter(person);
      await follow(person, wordsOf(person).people);
      await page.getByRole('searchbox').fill('lindqvist');
      await page.getByRole('search').getByRole('button').click();
      await page.getByRole('link', { name: 'Anna Lindqvist' }).click();
      await page.getByRole('heading', { level: 1, name: 'Anna Lindqvist' }).waitFor();

      const story = page.locator('.story > li');
      await eventually('the whole story is there', async () => {
        await page.reload();
        return (await story.count()) >= 4;
      });
      const entry = (action) => story.filter({ has: page.getByText(action, { exact: true }) });
      await entry(french ? 'Création de personne' : 'Create person').first().waitFor();
      const renamed = entry(french ? 'Mise à jour de personne' : 'Update person').filter({ hasText: 'displayName' });
      const values = renamed.locator('tr').filter({ hasText: 'displayName' }).locator('td');
      assert.deepEqual(await values.allInnerTexts(), ['Anna Berg', 'Anna Lindqvist']);
      await entry(french ? 'Désactivation de personne' : 'Deactivate person').waitFor();
      await person.assertAccessible('the page of a person');
      await picture(page, 'person-story', { of: 'section[aria-labelledby=story-title]' });

      // The log is searched by any name of theirs, though its lines tell the userName.
      await follow(person, wordsOf(person).provisioning);
      for (const name of ['Anna', 'lindqvist', '77120']) {
        await page.getByRole('searchbox').fill(name);
        await page.getByRole('search').getByRole('button').click();
        await page.waitForURL((url) => url.searchParams.get('search') === name);
        const lines = page.locator('tbody tr').filter({ hasText: 'x7431@contoso.com' });
        // The address changes before the lines do.
        await eventually(`${name} finds lines`, async () => (await lines.count()) >= 4);
      }
      await page.getByRole('searchbox').fill('');

      // Whoever was refused is found there, with what to do about it.
      await page.locator('#result').selectOption('problem');
      await page.getByRole('search').getByRole('button').click();
      const refused = page.locator('tbody tr').filter({ hasText: 'x7431@contoso.com' }).first();
      await refused.getByRole('link').first().click();
      await page.locator('.fix').waitFor();
      assert.match(await page.locator('main').innerText(), /uniqueness/);
      await person.assertAccessible('the page of a request');
      await picture(page, 'refused-request');
    });
  }
});
