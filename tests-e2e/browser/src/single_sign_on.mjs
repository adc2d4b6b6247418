// What somebody does in the settings of single sign-on and on the page where everybody begins, whatever the protocol.

import { follow, wordsOf } from './console.mjs';

const WORDS = {
  en: {
    tab: 'Single sign-on', save: 'Save', saved: 'Saved. Test it before your people need it.', user: 'User name', next: 'Next',
  },
  fr: {
    tab: 'Authentification unique', save: 'Enregistrer', saved: 'Enregistré. Testez avant que vos utilisateurs n’en aient besoin.',
    user: 'Nom d’utilisateur', next: 'Suivant',
  },
};

/** Gives a user name on the page where everybody begins, and is led to where their company has people sign in. */
export async function begin({ page, language }, user) {
  const words = WORDS[language];
  await page.goto('/login');
  await page.getByLabel(words.user).fill(user);
  await page.getByRole('button', { name: words.next }).click();
}

/** Goes to Settings > Company profile > Single sign-on. */
export async function openSettings(person) {
  await follow(person, wordsOf(person).companyProfile);
  await person.page.getByRole('link', { name: WORDS[person.language].tab, exact: true }).click();
  await person.page.locator('#single-sign-on').waitFor();
}

/** Saves the settings, and waits until the page says that they are. */
export async function save({ page, language }) {
  const words = WORDS[language];
  await page.locator('#single-sign-on').getByRole('button', { name: words.save, exact: true }).click();
  await page.getByText(words.saved).waitFor();
}
