// An administrator follows the tutorial: copies the two values into Entra, and watches what arrives.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { acceptInvitation, azureSection, copyConnection, counter, follow, openAzureSettings, signIn, withoutReloading, wordsOf } from '../src/console.mjs';
import { assertSucceeded, runCycle, testConnection } from '../src/entra.mjs';
import { useBrowser, withPerson } from '../src/person.mjs';
import { picture } from '../src/pictures.mjs';
import { eventually, world } from '../src/world.mjs';

/** So many that it takes Entra some seconds, one after the other. */
const USERS = 150;
/** As many as the first page of people shows. */
const PAGE = 25;
const GROUPS = 3;
const PASSWORD = 'nine green bicycles';

useBrowser();

test('what is copied connects Entra, and everything that arrives is seen without reloading', () =>
  withPerson({ language: world.language }, async (person) => {
    const words = wordsOf(person);
    const { name, email, invitation } = world.newcomer;
    await acceptInvitation(person, invitation, name, PASSWORD);
    await person.page.getByRole('button', { name: words.signOut, exact: true }).click();
    await person.page.waitForURL('**/login*');
    await signIn(person, { email, password: PASSWORD });
    await openAzureSettings(person);
    assert.match(await person.page.getByLabel(words.tokenField, { exact: true }).inputValue(), /•{4}/, 'the token is masked');
    const connection = await copyConnection(person);
    assert.equal(connection.tenantUrl, world.scim_url);
    assert.match(connection.secretToken, /^\S{100,1000}$/);
    await picture(person.page, 'azure-user-synchronization', { of: '#azure-user-synchronization' });

    // Three windows: the settings, the wizard, and the activity.
    const wizard = await person.another();
    await wizard.page.goto('/connect');
    await wizard.page.getByText(words.testAwaited).waitFor();
    const wizardStays = await withoutReloading(wizard);
    const activity = await person.another();
    await activity.page.goto('/');
    await follow(activity, words.provisioning);
    await activity.page.getByText(words.noCycle).waitFor();
    const activityStays = await withoutReloading(activity);

    assertSucceeded(await testConnection(connection));
    await wizard.page.getByText(words.testReceived).waitFor();
    await picture(wizard.page, 'connect-steps', { of: 'section:has(#steps)' });

    let hasEnded = false;
    const cycle = runCycle(connection, ['--users', USERS, '--groups', GROUPS, '--concurrency', 1]);
    cycle.finally(() => (hasEnded = true));
    await activity.page.getByText(words.cycleRunning).waitFor();
    await eventually('the first users are counted', async () => (await counter(activity, words.created)) > 0);
    assert.equal(hasEnded, false, 'the numbers came when everything was over');
    assertSucceeded(await cycle);
    await eventually('all are counted', async () => (await counter(activity, words.created)) === USERS + GROUPS);
    assert.equal(await counter(activity, words.failed), 0);
    await wizard.page.getByText(words.personReceived).waitFor();
    await wizard.page.getByText(words.groupReceived).waitFor();
    await wizardStays();
    await activityStays();
    await activity.page.reload();
    await activity.page.locator('tbody tr').first().waitFor();
    await picture(activity.page, 'provisioning-running', { isWhole: false });

    await follow(activity, words.people);
    await activity.page.locator('tbody tr').nth(PAGE - 1).waitFor();
    await person.page.reload();
    await azureSection(person).getByText('127.0.0.1').first().waitFor();
  }));
