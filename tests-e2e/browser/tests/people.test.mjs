// Who may do what: an auditor who sees no secret, somebody who signs out everywhere, somebody without a mouse.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { acceptInvitation, administrator, enter, openAzureSettings, signIn } from '../src/console.mjs';
import { useBrowser, withPerson } from '../src/person.mjs';
import { picture } from '../src/pictures.mjs';
import { world } from '../src/world.mjs';

const PASSWORD = 'seven purple umbrellas';
const AUDITED = ['/', '/people', '/groups', '/provisioning', '/settings/company', '/settings/administrators', '/connect', '/audit'];

useBrowser();

test('an auditor sees everything that is no secret, and nothing to press that would change it', () =>
  withPerson({}, async (person) => {
    const { page } = person;
    await acceptInvitation(person, world.auditor_invitation, 'Audrey Auditor', PASSWORD);
    for (const path of AUDITED) {
      await page.goto(path);
      const html = await page.content();
      assert.equal(html.includes(world.company.scim_token), false, `${path} has the token`);
      // What is left for them to press: searches, copies of what is no secret, their own language and session.
      const forms = await page.locator('main form').evaluateAll((all) => all.filter((form) => form.method !== 'get').length);
      assert.equal(forms, 0, `${path} has a form that changes something`);
      const buttons = await page.locator('main button').evaluateAll((all) =>
        all.filter((button) => !button.closest('form[method=get]') && !button.dataset.copy).map((button) => button.textContent),
      );
      assert.deepEqual(buttons, [], path);
    }
    await page.goto('/settings/company');
    await person.assertAccessible('the settings of an auditor');
    await picture(page, 'auditor-settings', { of: '#azure-user-synchronization' });
    // Nor by a request of their own, with their own session's token.
    person.expect(/console: .* 403 /);
    const csrf = await page.locator('input[name=csrf_token]').first().inputValue();
    const status = await page.evaluate(async (token) => {
      const body = new URLSearchParams({ csrf_token: token, overlap: '0' });
      return (await fetch('/settings/company/tokens/rotate', { method: 'POST', body })).status;
    }, csrf);
    assert.equal(status, 403);
  }));

test('signing out everywhere ends every other session at once', () =>
  withPerson({}, (here) =>
    withPerson({}, async (elsewhere) => {
      await signIn(here);
      await signIn(elsewhere);
      await elsewhere.page.goto('/people');
      await here.page.goto('/account');
      await here.page.getByRole('button', { name: 'Sign out everywhere else' }).click();
      await here.page.getByText('You are signed out everywhere else.').waitFor();
      await here.assertAccessible('the account');
      await elsewhere.page.goto('/provisioning');
      assert.equal(new URL(elsewhere.page.url()).pathname, '/login');
      await here.page.goto('/people');
      assert.equal(new URL(here.page.url()).pathname, '/people');
      await here.page.getByRole('button', { name: 'Sign out', exact: true }).click();
      await here.page.waitForURL('**/login*');
    }),
  ));

test('a wrong password is told, and says nothing about who exists', () =>
  withPerson({}, async (person) => {
    const { page } = person;
    person.expect(/console: .* 4\d\d .*\/sign-in/);
    const answers = [];
    for (const email of [administrator().email, 'nobody@example.com']) {
      await page.goto('/sign-in');
      await page.getByLabel('E-mail address').fill(email);
      await page.getByLabel('Password').fill('not the password');
      await page.getByRole('button', { name: 'Sign in' }).click();
      answers.push(await page.getByRole('alert').innerText());
    }
    assert.equal(answers[0], answers[1]);
    await person.assertAccessible('a refused sign-in');
  }));

/** Presses Tab until something has the focus. */
async function tabTo(page, target) {
  for (let presses = 0; presses < 150; presses += 1) {
    if (await target.evaluate((element) => element === document.activeElement)) {
      const outline = await target.evaluate((element) => getComputedStyle(element).outlineStyle);
      assert.notEqual(outline, 'none', 'it cannot be seen where the focus is');
      return;
    }
    await page.keyboard.press('Tab');
  }
  throw new Error(`Tab does not lead to ${target}`);
}

test('everything from signing in to a new token is done by the keyboard', () =>
  withPerson({}, async (person) => {
    const { page } = person;
    const { email, password } = administrator();
    await page.goto('/sign-in');
    await tabTo(page, page.getByLabel('E-mail address'));
    await page.keyboard.type(email);
    await tabTo(page, page.getByLabel('Password'));
    await page.keyboard.type(password);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { level: 1, name: 'Overview' }).waitFor();

    await tabTo(page, page.getByRole('link', { name: 'Skip to content' }));
    await page.keyboard.press('Enter');
    await page.waitForFunction(() => document.activeElement?.id === 'main');
    await page.reload();
    await tabTo(page, page.locator('nav#navigation').getByRole('link', { name: 'Company profile' }));
    await page.keyboard.press('Enter');
    const rotate = page.getByRole('button', { name: 'Rotate token…' });
    await rotate.waitFor();

    await tabTo(page, rotate);
    await page.keyboard.press('Enter');
    const dialog = page.getByRole('dialog', { name: 'Rotate the Microsoft Entra token' });
    await dialog.waitFor();
    await person.assertAccessible('the dialog that rotates');
    await picture(page, 'rotate-dialog', { of: '#rotate' });
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'hidden' });
    await page.waitForFunction(() => document.activeElement?.dataset.dialog === '#rotate');

    await page.keyboard.press('Enter');
    await dialog.waitFor();
    await tabTo(page, dialog.getByRole('radio').first());
    await page.keyboard.press('ArrowDown');
    assert.equal(await dialog.getByRole('radio', { name: 'Keep it for 24 hours' }).isChecked(), true);
    await tabTo(page, dialog.getByRole('button', { name: 'Create new token' }));
    await page.keyboard.press('Enter');
    await page.getByText('A new token is ready').waitFor();
    await page.getByText('The old token still works').waitFor();
  }));

test('the dialog is the same in French', () =>
  withPerson({ language: 'fr' }, async (person) => {
    await enter(person);
    await openAzureSettings(person);
    await person.page.getByRole('button', { name: 'Renouveler le jeton…' }).click();
    await person.page.getByRole('dialog', { name: 'Renouveler le jeton Microsoft Entra' }).waitFor();
    await person.assertAccessible('the dialog in French');
    await picture(person.page, 'rotate-dialog', { of: '#rotate' });
  }));
