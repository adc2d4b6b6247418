// Somebody sets single sign-on up as the guide says, tests it, and their people sign in at an identity provider that we did
// not write.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { copy, enter, follow, signIn } from '../src/console.mjs';
import { useBrowser, withPerson } from '../src/person.mjs';
import { picture } from '../src/pictures.mjs';
import { replace } from '../src/scim.mjs';
import { begin, openSettings, save } from '../src/single_sign_on.mjs';
import { eventually, world } from '../src/world.mjs';

const { identity_provider: provider, megan, domain } = world;

const WORDS = {
  en: {
    path: 'IDP metadata path', password: 'Password', objectId: /^Object ID/, domains: 'Domains', saml: /^SAML single sign-on/, test: 'Test',
    accepted: 'This sign-in would have been accepted', unsolicited: /^Allow sign-ins that begin/,
    signedInAs: 'You are signed in as Megan Bowen', signOut: 'Sign out', people: 'People',
    notProvisioned: 'You have no access to TimeClock 365 yet', replyUrl: 'Reply URL (Assertion Consumer Service URL)',
  },
  fr: {
    path: 'IDP metadata path (chemin des métadonnées)', password: 'Mot de passe', objectId: /^ID d’objet/, domains: 'Domaines',
    saml: /^Authentification unique SAML/, test: 'Tester', accepted: 'Cette connexion aurait été acceptée',
    unsolicited: /^Permettre les connexions/, signedInAs: 'Vous êtes connecté en tant que Megan Bowen', signOut: 'Se déconnecter',
    people: 'Personnes', notProvisioned: 'Vous n’avez pas encore accès à TimeClock 365',
    replyUrl: 'URL de réponse (URL Assertion Consumer Service)',
  },
};

useBrowser();

/** What the identity provider asks, and that somebody answers. */
async function sayWho({ page }, { user, objectId, roles = '' }) {
  await page.getByRole('heading', { name: 'Who are you?' }).waitFor();
  await page.locator('input[name=name_id]').fill(user);
  await page.locator('input[name=object_identifier]').fill(objectId);
  await page.locator('input[name=roles]').fill(roles);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('button', { name: 'Continue' }).click();
}

for (const language of ['en', 'fr']) {
  const words = WORDS[language];

  test(`it is set up, tested and switched on (${language})`, () =>
    withPerson({ language }, async (person) => {
      const { page } = person;
      await enter(person);
      await openSettings(person);
      const ours = page.locator('.field').filter({ has: page.getByLabel(words.replyUrl, { exact: true }) });
      assert.equal(await copy(person, ours, /./), `${world.console_url}/saml/login_check`);
      // As it is before it is set up: another language has been there.
      await page.getByRole('radio', { name: words.password, exact: true }).check();
      await page.getByRole('checkbox', { name: words.unsolicited }).uncheck();
      await page.getByLabel(words.path, { exact: true }).fill(provider.metadata_url);
      await page.getByRole('radio', { name: words.objectId }).check();
      await page.getByLabel(words.domains, { exact: true }).fill(domain);
      await save(person);
      await person.assertAccessible('the settings of single sign-on');
      await picture(page, 'single-sign-on-settings');

      await page.getByRole('button', { name: words.test, exact: true }).click();
      await sayWho(person, { ...megan, roles: 'auditor' });
      await page.getByText(words.accepted).waitFor();
      assert.equal(await page.getByText(provider.metadata_url).first().isVisible(), true, 'the issuer is shown');
      await person.assertAccessible('a test of single sign-on');
      await picture(page, 'single-sign-on-test');

      await openSettings(person);
      await page.getByRole('radio', { name: words.saml }).check();
      await page.getByRole('checkbox', { name: words.unsolicited }).check();
      await save(person);
    }));

  test(`somebody signs in from the sign-in page, and out again (${language})`, () =>
    withPerson({ language }, async (person) => {
      const { page } = person;
      await page.goto('/login');
      await person.assertAccessible('the page that asks for the user name');
      await picture(page, 'login');
      await begin(person, megan.user);
      await sayWho(person, megan);
      await follow(person, words.people);
      assert.equal(new URL(page.url()).pathname, '/people');
      await page.goto('/account');
      await page.getByRole('heading', { name: words.signedInAs }).waitFor();
      await person.assertAccessible('the page of somebody who has no account');
      await picture(page, 'signed-in-person');
      await page.locator('nav#navigation').getByRole('button', { name: words.signOut }).click();
      // By way of the identity provider, which ends its own session.
      await page.waitForURL((url) => url.pathname === '/login');
      await page.goto('/people');
      assert.equal(new URL(page.url()).pathname, '/login');
    }));

  test(`a sign-in begins at the identity provider (${language})`, () =>
    withPerson({ language }, async (person) => {
      const { page } = person;
      await page.goto(`${provider.url}/?peer=${encodeURIComponent(`${world.console_url}/saml/metadata`)}`);
      await sayWho(person, { ...megan, roles: 'member' });
      await page.getByRole('heading', { name: words.signedInAs }).waitFor();
      assert.equal(await page.locator('nav#navigation').count(), 0, 'the claim took the role away');
    }));

  test(`whoever was never provisioned gets a page that says so (${language})`, () =>
    withPerson({ language }, async (person) => {
      const { page } = person;
      person.expect(/console: .* 403 .*\/saml\/login_check/);
      await begin(person, `nobody@${domain}`);
      await sayWho(person, { user: `nobody@${domain}`, objectId: '00000000-0000-4000-8000-000000000000' });
      await page.getByRole('heading', { name: words.notProvisioned }).waitFor();
      await person.assertAccessible('the page of somebody without access');
      await picture(page, 'not-provisioned');
    }));
}

test('whoever Entra disables lands on the sign-in page with the next click, and is let in again once enabled', () =>
  withPerson({}, async (person) => {
    const { page } = person;
    person.expect(/console: .* 403 .*\/saml\/login_check/);
    const signsIn = async () => {
      await begin(person, megan.user);
      await sayWho(person, megan);
    };
    await signsIn();
    await follow(person, WORDS.en.people);
    assert.equal((await replace(megan.id, 'active', 'False')).status, 200);
    await eventually('the next click lands on the sign-in page', async () => {
      await page.goto('/people');
      return new URL(page.url()).pathname === '/login';
    });
    await signsIn();
    await page.getByRole('heading', { name: 'Your account is deactivated' }).waitFor();
    await person.assertAccessible('the page of somebody who is deactivated');
    await picture(page, 'deactivated');

    assert.equal((await replace(megan.id, 'active', 'True')).status, 200);
    await eventually('they are let in again', async () => {
      await signsIn();
      return page.locator('nav#navigation').isVisible();
    });
  }));

test('a new certificate is read before it signs, and an old one signs no more once it is gone', () =>
  withPerson({}, async (person) => {
    const { page } = person;
    await signIn(person);
    const rolled = async (published, signing) => {
      const answer = await fetch(`${provider.url}/keys`, { method: 'POST', body: JSON.stringify({ published, signing }) });
      assert.equal(answer.status, 200, await answer.text());
    };
    const read = async () => {
      await openSettings(person);
      await page.getByRole('button', { name: 'Read metadata now' }).click();
      await page.getByText('The metadata was read again.').waitFor();
    };
    const arrives = (acts) =>
      withPerson({}, async (other) => {
        other.expect(/console: .* 403 .*\/saml\/login_check/);
        await begin(other, megan.user);
        await sayWho(other, megan);
        await acts(other.page);
      });
    await rolled(['first', 'second'], 'first');
    await read();
    assert.equal(await page.locator('table tbody tr').count(), 2, 'both certificates are shown');
    await rolled(['first', 'second'], 'second');
    await arrives((other) => other.locator('nav#navigation').waitFor({ state: 'attached' }));
    await rolled(['second'], 'first');
    await read();
    await arrives((other) => other.getByRole('heading', { name: 'You could not be signed in' }).waitFor());
  }));
