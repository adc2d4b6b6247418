// Which other people's modules the scenarios use. They are installed outside the sources, where `import` would not look.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const installed = process.env.BROWSER_MODULES;
if (!installed) throw new Error('BROWSER_MODULES is not set: run these tests by cargo (tests-e2e/README.md)');
const require = createRequire(`${installed}/`);

export const { chromium, errors } = require('playwright-core');

/** axe-core as a script that is run inside a page. */
export const axeSource = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
