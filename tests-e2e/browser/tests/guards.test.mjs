// The guards themselves: each of them notices what it is there for, and none of them minds an innocent page.

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, before, test } from 'node:test';

import { useBrowser, withPerson } from '../src/person.mjs';
import { world } from '../src/world.mjs';

const INNOCENT = '<main><h1>Innocent</h1><p>Nothing to see.</p></main>';

const PAGES = {
  '/innocent': INNOCENT,
  '/elsewhere': `${INNOCENT}<img alt="" src="http://elsewhere.example/pixel.png">`,
  '/console': `${INNOCENT}<script>console.error('a complaint')</script>`,
  '/throws': `${INNOCENT}<script>throw new Error('a bug')</script>`,
  '/rejects': `${INNOCENT}<script>Promise.reject(new Error('a promise'))</script>`,
  '/inline': `${INNOCENT}<p style="color: red">styled</p>`,
  '/broken': INNOCENT,
  '/asks-broken': `${INNOCENT}<script>fetch('/broken')</script>`,
  '/unnamed': `<main><h1>A form</h1><input></main>`,
  '/pale': `<main><h1>Pale</h1><p class="pale">Hardly to be read in the dark.</p></main>`,
};
const STYLE = `<style nonce="known">@media (prefers-color-scheme: dark) {
  body { background: #111; color: #eee } .pale { color: #333 } }</style>`;

let server;

before(async () => {
  server = createServer((request, response) => {
    const body = PAGES[request.url];
    const status = request.url === '/broken' ? 503 : body ? 200 : 404;
    response.writeHead(status, {
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy':
        request.url === '/inline' ? "default-src 'self'; style-src 'nonce-known'" : "img-src * data:",
    });
    response.end(`<!doctype html><html lang="en"><title>A page</title><link rel="icon" href="data:,">${STYLE}${body}`);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  world.console_url = `http://127.0.0.1:${server.address().port}`;
});
after(() => server.close());
useBrowser();

/** Visits a page and does something more there. */
const visit = (path, acts = () => {}) =>
  withPerson({}, async (person) => {
    await person.page.goto(path, { waitUntil: 'networkidle' });
    await acts(person);
  });

test('an innocent page passes every guard', () => visit('/innocent', (person) => person.assertAccessible('it')));

for (const [path, complaint] of [
  ['/elsewhere', /asked for http:\/\/elsewhere\.example/],
  ['/console', /console: a complaint/],
  ['/throws', /script: .*a bug/],
  ['/rejects', /script: .*a promise/],
  ['/inline', /policy violated: style-src-attr by inline on \/inline/],
  ['/asks-broken', /503 for GET .*\/broken/],
]) {
  test(`${path} is noticed`, () => assert.rejects(visit(path), complaint));
}

test('what a scenario provokes may be expected', () =>
  withPerson({}, async (person) => {
    person.expect(/a complaint/);
    await person.page.goto('/console', { waitUntil: 'networkidle' });
  }));

test('a field without a name is noticed', () =>
  assert.rejects(visit('/unnamed', (person) => person.assertAccessible('it')), /label/));

test('what cannot be read in the dark is noticed', () =>
  assert.rejects(visit('/pale', (person) => person.assertAccessible('it')), /dark: color-contrast/));

test('the clipboard can be read', () =>
  visit('/innocent', async (person) => {
    await person.page.evaluate(() => navigator.clipboard.writeText('copied'));
    assert.equal(await person.clipboard(), 'copied');
  }));
