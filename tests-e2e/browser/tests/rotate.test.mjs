// A token's life: replaced while Entra is at work, retired, revoked.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { azureSection, copyConnection, enter, openAzureSettings, withoutReloading, wordsOf } from '../src/console.mjs';
import { assertSucceeded, runCycle, testConnection } from '../src/entra.mjs';
import { useBrowser, withPerson } from '../src/person.mjs';
import { picture } from '../src/pictures.mjs';
import { eventually, world } from '../src/world.mjs';

/** So many that a cycle still runs when somebody has gone through a dialog. */
const USERS = 1500;
/** How long a token may be good after it was revoked. */
const REVOCATION_MS = 2_000;

useBrowser();

test('a token is replaced during a cycle without a failed request, and refused once it is revoked', () =>
  withPerson({ language: world.language }, async (person) => {
    const { page } = person;
    const words = wordsOf(person);
    await enter(person);
    await openAzureSettings(person);
    const old = await copyConnection(person);

    let hasEnded = false;
    const cycle = runCycle(old, ['--users', USERS, '--no-verify', '--concurrency', 2]).then((ended) => {
      hasEnded = true;
      return ended;
    });
    // The page notices by itself.
    await azureSection(person).getByText('127.0.0.1').first().waitFor();
    await page.getByRole('button', { name: words.rotate }).click();
    const dialog = page.getByRole('dialog', { name: words.rotateTitle });
    await dialog.waitFor();
    await dialog.getByRole('button', { name: words.createToken }).click();
    await page.getByText(words.tokenReady).waitFor();
    assert.equal(hasEnded, false, 'the cycle was over before the token was replaced');
    const present = await copyConnection(person);
    assert.notEqual(present.secretToken, old.secretToken);
    assertSucceeded(await cycle);

    // Loading the page again does not say once more that the token is new.
    await page.reload();
    assert.equal(await page.getByText(words.tokenReady).count(), 0);

    // Test Connection alone proves nothing: who has not saved must not be led to stop the old token.
    const assertNotReloaded = await withoutReloading(person);
    assertSucceeded(await testConnection(present));
    await page.getByText(words.newTokenTried).waitFor();
    assert.equal(await page.getByRole('button', { name: words.retire }).count(), 0, 'retirement is offered after a test alone');

    // Entra works with the new one; the console notices, and offers to retire the old one.
    assertSucceeded(await runCycle(present, ['--users', 5, '--no-verify']));
    await page.getByText(words.newTokenUsed).waitFor();
    await assertNotReloaded();
    await picture(page, 'rotated', { of: '#azure-user-synchronization' });
    await page.getByRole('button', { name: words.retire }).click();
    await page.getByRole('dialog').getByRole('button', { name: words.retire }).click();
    await page.getByText(words.retired).waitFor();
    await eventually('the old token is refused', async () => (await testConnection(old)).status !== 0, REVOCATION_MS);
    assertSucceeded(await testConnection(present));

    await page.getByRole('button', { name: words.revoke }).click();
    const last = page.getByRole('dialog');
    await last.waitFor();
    await picture(page, 'revoke-dialog', { of: '#revoke' });
    await last.getByRole('button', { name: words.revokeToken }).click();
    await eventually('a revoked token is refused', async () => (await testConnection(present)).status !== 0, REVOCATION_MS);
    await page.getByText(words.revoked).waitFor();
    await eventually('the console says that Entra is refused', async () => {
      await page.goto('/');
      return page.getByText(words.tokenRefused).first().isVisible();
    });
    await picture(page, 'refused');
  }));
