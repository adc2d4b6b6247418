// Whether a page speaks one language: what it says in English and in French must differ, but for what has no language.

/** Words that are the same in both languages, and names of ours and of others. */
const SAME = new Set(
  [
    'TimeClock 365', 'Microsoft Entra', 'Microsoft Entra ID', 'OpenID Connect', 'timeclock-365.pem', 'English', 'Français', 'Actions',
    'Action', 'Notifications',
    'Description', 'Type', 'Date', 'Source', 'Total', 'CSV', 'SCIM', 'OAuth', 'Client ID', 'Service', 'Code', 'Cause',
    'Audiences', 'Menu', 'Page', 'Session', 'Sessions', 'Navigation', 'Expire', 'Active', 'Question', 'Version', 'Message',
  ].map((word) => word.toLowerCase()),
);

/** Addresses, identifiers, and what browsers call themselves. */
const DATA = /@|[0-9a-f]{8}-[0-9a-f]{4}-|Mozilla\//;

/** What the page says to somebody who looks or listens: texts, names of fields and pictures, and its title. */
async function says(page) {
  const texts = await page.evaluate(() => {
    const found = [document.title.replace(' · TimeClock 365', '')];
    const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    // What is inside these is data: names of people and of the company, values, identifiers, moments.
    const data =
      'script, style, noscript, code, time, q, [lang]:not(html), .company, .who-name, a[href^="/people/"], ' +
      'a[href^="/groups/"], .before-after td, tbody th small, [aria-labelledby=attributes-title] td, .zone, .who';
    while (walk.nextNode()) {
      const holder = walk.currentNode.parentElement;
      if (!holder.closest(data)) found.push(walk.currentNode.textContent);
    }
    for (const element of document.body.querySelectorAll('[aria-label], [placeholder], [title], [alt]')) {
      if (element.closest(data)) continue;
      for (const name of ['aria-label', 'placeholder', 'title', 'alt']) found.push(element.getAttribute(name) ?? '');
    }
    return found;
  });
  return texts.map((text) => text.replace(/\s+/g, ' ').trim()).filter((text) => /\p{L}{3}/u.test(text) && !DATA.test(text));
}

/** Texts of a page that are the same in both languages and are no name. `data` are texts that have no language. */
export async function untranslated(english, french, data = []) {
  const known = new Set(data.map((text) => text.toLowerCase()));
  const first = new Set((await says(english)).map((text) => text.toLowerCase()));
  const both = (await says(french)).filter((text) => first.has(text.toLowerCase()));
  return [...new Set(both)].filter((text) => !SAME.has(text.toLowerCase()) && !known.has(text.toLowerCase()));
}
