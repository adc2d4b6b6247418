// Entra removes many people at once: everybody who looks is told, and one administrator brings them back.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { enter } from '../src/console.mjs';
import { useBrowser, withPerson } from '../src/person.mjs';
import { picture } from '../src/pictures.mjs';
import { world } from '../src/world.mjs';

const WORDS = {
  en: { see: 'See who was removed', title: 'Mass removal', undo: 'Undo all', undone: 'Undone', deleted: 'Deleted' },
  fr: {
    see: 'Voir qui a été retiré', title: 'Retrait massif', undo: 'Tout annuler', deleted: 'Suppression',
  },
};

useBrowser();

/** Goes from the notice on the overview to the page of the mass removal. */
async function open({ page }, words) {
  await page.goto('/');
  await page.getByRole('link', { name: words.see }).first().click();
  await page.locator('main table tbody tr th a').first().click();
  await page.getByRole('heading', { name: words.title, exact: true }).waitFor();
}

test('whoever reads French is told who was removed, and asked before anybody is brought back', () =>
  withPerson({ language: 'fr' }, async (person) => {
    const { page } = person;
    const words = WORDS.fr;
    await enter(person);
    await open(person, words);
    assert.equal(await page.getByText(words.deleted, { exact: true }).count(), world.deleted);
    await person.assertAccessible('the page of a mass removal');
    await picture(page, 'mass-removal');
    await page.getByRole('button', { name: words.undo }).click();
    await page.getByRole('dialog').waitFor();
    await person.assertAccessible('the dialog before an undo');
    await picture(page, 'mass-removal-undo', { of: '#undo' });
  }));

test('one click brings everybody back, while the page is looked at', () =>
  withPerson({}, async (person) => {
    const { page } = person;
    const words = WORDS.en;
    await enter(person);
    await picture(page, 'overview-after-mass-removal');
    await open(person, words);
    await picture(page, 'mass-removal');
    await page.getByRole('button', { name: words.undo }).click();
    const dialog = page.getByRole('dialog');
    await dialog.waitFor();
    await dialog.getByRole('button', { name: words.undo }).click();
    await page.getByText(words.undone, { exact: true }).waitFor();
    await person.assertAccessible('the page of a mass removal that was undone');
    await picture(page, 'mass-removal-undone');
    await page.goto('/');
    assert.equal(await page.getByRole('link', { name: words.see }).count(), 0, 'nobody is told any more');
  }));
