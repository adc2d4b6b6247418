// What the Rust side of a scenario has prepared: a running stack, companies, programs.

import { readFileSync } from 'node:fs';

const file = process.env.BROWSER_WORLD;

/** The prepared world; empty for tests that need none. */
export const world = file ? JSON.parse(readFileSync(file, 'utf8')) : {};

/** How long anything may take that a person would wait for. The machine may be very busy; a scenario that hangs ends. */
export const PATIENCE_MS = 60_000;

/** Waits until `observe` gives something true, and returns it; the error shows what was seen last. */
export async function eventually(what, observe, deadlineMs = PATIENCE_MS) {
  const deadline = performance.now() + deadlineMs;
  for (;;) {
    let seen;
    try {
      seen = await observe();
    } catch (error) {
      seen = undefined;
      if (performance.now() >= deadline) throw new Error(`${what}: ${error.message}`, { cause: error });
    }
    if (seen) return seen;
    if (performance.now() >= deadline) throw new Error(`${what}: not within ${deadlineMs} ms; last seen: ${seen}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
