// Whether everybody can use a page: the rules of WCAG 2.2 AA that a program can check.

import { axeSource } from './modules.mjs';

const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];

/** Every rule that the page violates as it is now, one line each. */
async function violations(page) {
  // Evaluated by the debugger, which no content security policy stands against.
  await page.evaluate(axeSource);
  const found = await page.evaluate(
    (tags) => globalThis.axe.run(document, { runOnly: tags, preload: false, resultTypes: ['violations'] }),
    TAGS,
  );
  return found.violations.map(({ id, help, nodes }) => {
    const [first] = nodes;
    return `${id}: ${help}: ${nodes.length} times, the first is ${first.target.join(' ')}: ${first.html.slice(0, 240)}`;
  });
}

/** Checks the page in both colour schemes and leaves it in the light one. */
export async function assertAccessible(page, name) {
  const found = [];
  for (const colorScheme of ['dark', 'light']) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    found.push(...(await violations(page)).map((text) => `${colorScheme}: ${text}`));
  }
  if (found.length > 0) throw new Error(`not everybody can use ${name}:\n  ${found.join('\n  ')}`);
}
