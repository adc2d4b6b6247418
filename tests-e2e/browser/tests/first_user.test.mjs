// From an empty company to a provisioned user, with every click that a person makes.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { acceptInvitation, copyConnection, follow, openAzureSettings, wordsOf } from '../src/console.mjs';
import { assertSucceeded, runCycle, testConnection } from '../src/entra.mjs';
import { useBrowser, withPerson } from '../src/person.mjs';
import { world } from '../src/world.mjs';

const PASSWORD = 'correct horse battery staple';

useBrowser();

test('an invitation leads to a provisioned user', () =>
  withPerson({ language: world.language }, async (person) => {
    const { page } = person;
    const words = wordsOf(person);
    const steps = [];
    const begin = performance.now();
    const step = async (name, acts) => {
      const result = await acts();
      steps.push(`${(performance.now() - begin).toFixed(0).padStart(7)} ms  ${name}`);
      return result;
    };

    await step('open the invitation and choose a password', () =>
      acceptInvitation(person, world.invitation, 'Ada Lovelace', PASSWORD));
    await step('open Settings > Company profile > General', () => openAzureSettings(person));
    await step('generate a token', async () => {
      await page.getByRole('button', { name: words.generate }).click();
      await page.getByText(words.tokenReady).waitFor();
    });
    const connection = await step('copy the two values into Entra', () => copyConnection(person));
    await step('open the connection guide', () => page.getByRole('link', { name: words.guide }).click());
    await step('Test Connection in Entra, and see it arrive', async () => {
      assertSucceeded(await testConnection(connection));
      await page.getByText(words.testReceived).waitFor();
    });
    await step('start provisioning in Entra, and see the first person arrive', async () => {
      assertSucceeded(await runCycle(connection, ['--users', 1]));
      await page.getByText(words.personReceived).waitFor();
    });
    await step('find the person under People', async () => {
      await follow(person, words.people);
      await page.locator('tbody tr').waitFor();
    });
    assert.equal(await page.locator('tbody tr').count(), 1);
    console.log(`From an empty company to a provisioned user, ${steps.length} steps:\n${steps.join('\n')}`);
  }));
