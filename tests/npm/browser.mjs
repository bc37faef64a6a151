// Debian's Chromium, driven by playwright-core, and what every test of a page wants of it.
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { load, pathOf } from './modules.mjs';

const {
  default: { chromium },
} = await load('playwright-core');

// What a slow, busy machine may take, never what the thing should take.
const kPatienceMs = 60_000;

export async function launch() {
  const { RESMGR_STILL_NETWORK, ...env } = process.env;
  assert.ok(RESMGR_STILL_NETWORK, 'there is no RESMGR_STILL_NETWORK, which keeps the network still');
  return chromium.launch({
    // Or each container that comes or goes on this machine would fail some of the page's requests.
    env: { ...env, LD_PRELOAD: RESMGR_STILL_NETWORK },
    executablePath: '/usr/bin/chromium',
    // Its sandbox refuses root, as whom tests may run.
    args: process.getuid() === 0 ? ['--no-sandbox'] : [],
  });
}

// A page of a person's own: nothing is shared with another one's. `faults` gets what the browser
// complains of; `isExpected(text, url)` says which of the answers with an error are meant to be.
export async function openPage(browser, options = {}) {
  const { isExpected = () => false, ...rest } = options;
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...rest });
  const diary = keepDiary(context);
  const page = await context.newPage();
  page.setDefaultTimeout(kPatienceMs);
  const faults = [];
  page.on('pageerror', (error) => faults.push(`exception: ${error.stack}`));
  page.on('console', (message) => {
    const text = message.text();
    const { url } = message.location();
    if (!['error', 'warning'].includes(message.type()) || isExpected(text, url)) return;
    faults.push(`${message.type()}: ${text} (${url})`);
  });
  await page.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', (event) => {
      console.error(`policy violated: ${event.violatedDirective} ${event.blockedURI}`);
    });
  });
  return { page, context, faults, diary };
}

// Lines of all that went wrong in a person's pages and their frames, and when: what to read where a
// page has not become what it should be.
function keepDiary(context) {
  const begin = Date.now();
  const lines = [];
  const note = (text) => lines.push(`${((Date.now() - begin) / 1000).toFixed(1)} s: ${text}`);
  context.on('requestfailed', (request) => {
    note(`${request.method()} ${request.url()} failed: ${request.failure()?.errorText}`);
  });
  context.on('response', (response) => {
    if (response.status() < 400) return;
    note(`${response.request().method()} ${response.url()} was answered ${response.status()}`);
  });
  context.on('weberror', (error) => note(`exception: ${error.error().stack}`));
  context.on('console', (message) => {
    if (!['error', 'warning'].includes(message.type())) return;
    note(`${message.type()}: ${message.text()} (${message.location().url})`);
  });
  context.on('page', (page) => {
    page.on('framenavigated', (frame) => note(`went to ${frame.url()}`));
  });
  return lines;
}

// Opens the address, and returns once `isWhole`, a function that runs in the page, says that all of
// it is there.
export async function visit(page, address, isWhole) {
  await page.goto(address);
  await page.waitForFunction(isWhole);
}

// Serious and critical findings of axe-core, one a line. In a context with bypassCSP.
export async function accessibilityFaults(page) {
  await page.addScriptTag({ path: pathOf('axe-core/axe.min.js') });
  const { violations } = await page.evaluate(() =>
    globalThis.axe.run(document, {
      // What is in a frame is the service's own.
      iframes: false,
    }),
  );
  return violations
    .filter(({ impact }) => ['serious', 'critical'].includes(impact))
    .flatMap(({ id, impact, help, nodes }) =>
      nodes.map(
        ({ html, failureSummary }) => `${impact} ${id}: ${help}\n  ${html}\n  ${failureSummary}`,
      ),
    );
}

export async function screenshot(page, path) {
  await writeFile(path, await page.screenshot({ fullPage: true }));
}
