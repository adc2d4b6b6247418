// What must not happen on any page, whatever a scenario is about.

import { isIP } from 'node:net';

/** What htmx says of the stream of a page that is being left. That streams work, scenarios see by what they show. */
const LEFT_BEHIND = /^console: \[object Event\] \(.*\/htmx-[^/]*\.js\)$/;

/** Whether a URL stays on this machine. */
function isLoopback(url) {
  const { protocol, hostname } = new URL(url);
  if (['data:', 'blob:', 'about:'].includes(protocol)) return true;
  return hostname === 'localhost' || hostname === '[::1]' || (isIP(hostname) === 4 && hostname.startsWith('127.'));
}

/**
 * Watches every page of a browser context, and lets nothing out of this machine.
 * Complaints gather in a list; `expected` holds patterns of those that a scenario provokes.
 */
export async function guard(context) {
  const complaints = [];
  const expected = [LEFT_BEHIND];
  const complain = (text) => {
    if (!expected.some((pattern) => pattern.test(text))) complaints.push(text);
  };

  await context.route('**/*', (route) => {
    const url = route.request().url();
    if (isLoopback(url)) return route.continue();
    complain(`asked for ${new URL(url).origin}`);
    return route.abort('blockedbyclient');
  });
  // A violation is told to the console too, but that text is Chromium's to change.
  await context.exposeBinding('reportViolation', (_, text) => complain(`policy violated: ${text}`));
  await context.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', (event) => {
      globalThis.reportViolation(`${event.effectiveDirective} by ${event.blockedURI || 'inline'} on ${location.pathname}`);
    });
  });
  context.on('console', (message) => {
    if (message.type() === 'error') complain(`console: ${message.text()} (${message.location().url})`);
  });
  context.on('weberror', (error) => complain(`script: ${error.error().stack ?? error.error().message}`));
  context.on('response', (response) => {
    if (response.status() >= 500) complain(`${response.status()} for ${response.request().method()} ${response.url()}`);
  });

  return {
    /** Lets complaints that match pass from now on. */
    expect: (pattern) => expected.push(pattern),
    /** Ends the test when anything has happened that must not, also beside what has ended it already. */
    assertQuiet: (failure) => {
      const heard = complaints.length > 0 ? [`the pages misbehaved:`, ...new Set(complaints)].join('\n  ') : '';
      if (failure) throw new Error(`${failure.message}\n${heard}`, { cause: failure });
      if (heard) throw new Error(heard);
    },
  };
}
