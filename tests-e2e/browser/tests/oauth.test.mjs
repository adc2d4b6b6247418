// A company whose Entra asks for OAuth 2.0 client credentials.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { copy, enter, openAzureSettings, wordsOf } from '../src/console.mjs';
import { assertSucceeded, runCycle, testConnection } from '../src/entra.mjs';
import { useBrowser, withPerson } from '../src/person.mjs';
import { picture } from '../src/pictures.mjs';
import { eventually, world } from '../src/world.mjs';

/** How long an access token may be good after its client was revoked. */
const REVOCATION_MS = 2_000;

useBrowser();

test('a client that is created in the console provisions, until it is revoked', () =>
  withPerson({ language: world.language }, async (person) => {
    const { page } = person;
    const words = wordsOf(person);
    await enter(person);
    await openAzureSettings(person);
    await page.getByText(words.newClient).click();
    await page.locator('#secret-description').fill('Entra, without a long-lived token');
    await page.getByRole('button', { name: words.create, exact: true }).and(page.locator(':visible')).click();
    const told = page.getByRole('region', { name: words.clientTold });
    await told.waitFor();
    await picture(page, 'oauth-client', { of: '#credential-types' });

    const field = async (name) => {
      const row = told.locator('.field').filter({ has: page.getByLabel(name, { exact: true }) });
      return copy(person, row, words.copy);
    };
    const client = {
      tokenEndpoint: await field(words.tokenEndpoint),
      id: await field(words.clientId),
      secret: await field(words.clientSecret),
    };
    const connection = { tenantUrl: world.scim_url, client };
    assertSucceeded(await testConnection(connection));
    assertSucceeded(await runCycle(connection, ['--users', 5, '--groups', 1]));

    // The secret was told once; the client is still shown, with when it was used.
    await page.goto('/settings/company');
    assert.equal((await page.content()).includes(client.secret), false);
    const shown = page.getByRole('article', { name: client.id });
    await shown.getByText(words.from).waitFor();
    await person.assertAccessible('the settings with a client');

    await shown.getByRole('button', { name: `${words.revokeClient}…` }).click();
    await page.getByRole('dialog').getByRole('button', { name: words.revokeClient }).click();
    await page.getByText(words.clientRevoked).waitFor();
    await eventually('it gets no more', async () => (await testConnection(connection)).status !== 0, REVOCATION_MS);
  }));
