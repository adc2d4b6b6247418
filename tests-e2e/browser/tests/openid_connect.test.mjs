// Somebody sets OpenID Connect up as the guide says, tests it, and their people sign in at a provider that we did not write.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { copy, enter, follow, wordsOf } from '../src/console.mjs';
import { useBrowser, withPerson } from '../src/person.mjs';
import { picture } from '../src/pictures.mjs';
import { world } from '../src/world.mjs';

const { openid_provider: provider, megan, stranger, domain } = world;
const CLIENT = '11111111-2222-3333-4444-555555555555';

const WORDS = {
  en: {
    tab: 'Single sign-on', redirect: 'Redirect URI (Web)', address: 'OpenID Connect metadata document', client: 'Application (client) ID',
    objectId: /^Object ID/, domains: 'Domains', save: 'Save', openid: /^OpenID Connect/, saved: 'Saved. Test it before your people need it.',
    test: 'Test', accepted: 'This sign-in would have been accepted', user: 'User name', next: 'Next',
    signedInAs: 'You are signed in as Megan Bowen', signOut: 'Sign out', notProvisioned: 'You have no access to TimeClock 365 yet',
    people: 'People',
  },
  fr: {
    tab: 'Authentification unique', redirect: 'URI de redirection (Web)', address: 'Document de métadonnées OpenID Connect',
    client: 'ID d’application (client)', objectId: /^ID d’objet/, domains: 'Domaines', save: 'Enregistrer', openid: /^OpenID Connect/,
    saved: 'Enregistré. Testez avant que vos utilisateurs n’en aient besoin.', test: 'Tester', accepted: 'Cette connexion aurait été acceptée',
    user: 'Nom d’utilisateur', next: 'Suivant', signedInAs: 'Vous êtes connecté en tant que Megan Bowen', signOut: 'Se déconnecter',
    notProvisioned: 'Vous n’avez pas encore accès à TimeClock 365', people: 'Personnes',
  },
};

useBrowser();

/** Somebody who comes by the provider's pages, which ask for a style sheet that is not on this machine. */
const withVisitor = (options, acts) =>
  withPerson(options, (person) => {
    person.expect(/cdn\.jsdelivr\.net/);
    return acts(person);
  });

/** What the provider asks, and that somebody answers. */
async function sayWho({ page }, subject) {
  await page.getByRole('heading', { name: 'Authorize Client' }).waitFor();
  await page.locator('input[name=sub]').fill(subject);
  await page.getByRole('button', { name: 'Authorize' }).click();
}

/** Gives a user name on the page where everybody begins, and is led to the provider. */
async function begin({ page }, words, user) {
  await page.goto('/login');
  await page.getByLabel(words.user).fill(user);
  await page.getByRole('button', { name: words.next }).click();
}

async function settings(person, words) {
  await follow(person, wordsOf(person).companyProfile);
  await person.page.getByRole('link', { name: words.tab, exact: true }).click();
  await person.page.locator('#single-sign-on').waitFor();
}

async function save({ page }, words) {
  await page.locator('#single-sign-on').getByRole('button', { name: words.save, exact: true }).click();
  await page.getByText(words.saved).waitFor();
}

for (const language of ['en', 'fr']) {
  const words = WORDS[language];

  test(`OpenID Connect is set up, tested and switched on (${language})`, () =>
    withVisitor({ language }, async (person) => {
      const { page } = person;
      await enter(person);
      await settings(person, words);
      const ours = page.locator('.field').filter({ has: page.getByLabel(words.redirect, { exact: true }) });
      assert.equal(await copy(person, ours, /./), `${world.console_url}/oidc/callback/${world.company.id}`);
      const certificate = await page.request.get('/oidc/certificate');
      assert.match(await certificate.text(), /^-----BEGIN CERTIFICATE-----\n/);
      await page.getByLabel(words.address, { exact: true }).fill(`${provider}/.well-known/openid-configuration`);
      await page.getByLabel(words.client, { exact: true }).fill(CLIENT);
      await page.getByRole('radio', { name: words.objectId }).check();
      await page.getByLabel(words.domains, { exact: true }).fill(domain);
      await save(person, words);
      await person.assertAccessible('the settings of OpenID Connect');
      await picture(page, 'openid-connect-settings');

      await page.getByRole('button', { name: words.test, exact: true }).click();
      await sayWho(person, megan.subject);
      await page.getByText(words.accepted).waitFor();
      await page.getByRole('rowheader', { name: 'oid', exact: true }).waitFor();
      await person.assertAccessible('a test of OpenID Connect');
      await picture(page, 'openid-connect-test');

      await settings(person, words);
      await page.getByRole('radio', { name: words.openid }).check();
      await save(person, words);
    }));

  test(`somebody signs in by OpenID Connect, and out again (${language})`, () =>
    withVisitor({ language }, async (person) => {
      const { page } = person;
      await begin(person, words, megan.user);
      await sayWho(person, megan.subject);
      await follow(person, words.people);
      assert.equal(new URL(page.url()).pathname, '/people');
      await page.goto('/account');
      await page.getByRole('heading', { name: words.signedInAs }).waitFor();
      await page.locator('nav#navigation').getByRole('button', { name: words.signOut }).click();
      await page.waitForURL((url) => url.pathname === '/login');
      await page.goto('/people');
      assert.equal(new URL(page.url()).pathname, '/login');
    }));

  test(`whoever was never provisioned gets a page that says so, by OpenID Connect too (${language})`, () =>
    withVisitor({ language }, async (person) => {
      const { page } = person;
      person.expect(/console: .* 403 .*\/oidc\/callback/);
      await begin(person, words, `nobody@${domain}`);
      await sayWho(person, stranger);
      await page.getByRole('heading', { name: words.notProvisioned }).waitFor();
      await person.assertAccessible('the page of somebody without access');
    }));
}

test('a callback that another browser brings signs nobody in', () =>
  withVisitor({}, async (person) => {
    const words = WORDS.en;
    await begin(person, words, megan.user);
    await person.page.getByRole('heading', { name: 'Authorize Client' }).waitFor();
    const asked = person.page.url();
    await withVisitor({}, async (thief) => {
      thief.expect(/console: .* 403 .*\/oidc\/callback/);
      await thief.page.goto(asked);
      await sayWho(thief, megan.subject);
      await thief.page.getByText('other_browser').waitFor();
      await thief.page.goto('/people');
      assert.equal(new URL(thief.page.url()).pathname, '/login');
    });
  }));
