// Debian's Chromium, driven by playwright-core, and what every test of a page wants of it.
import { writeFile } from 'node:fs/promises';
import { load, pathOf } from './modules.mjs';

const {
  default: { chromium },
} = await load('playwright-core');

// What a slow, busy machine may take, never what the thing should take.
const kPatienceMs = 60_000;

// The host's addresses change whenever a bridge of containers gets its first one or loses its last.
// Chromium then drops what waits for a connection, which is none of the page's faults.
const kNetworkChanged = 'net::ERR_NETWORK_CHANGED';
const disturbances = new WeakMap(); // page -> how often that happened to it

export async function launch() {
  return chromium.launch({
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
  const page = await context.newPage();
  page.setDefaultTimeout(kPatienceMs);
  const faults = [];
  disturbances.set(page, 0);
  page.on('requestfailed', (request) => {
    if (request.failure()?.errorText !== kNetworkChanged) return;
    disturbances.set(page, disturbances.get(page) + 1);
  });
  page.on('pageerror', (error) => faults.push(`exception: ${error.stack}`));
  page.on('console', (message) => {
    const text = message.text();
    const { url } = message.location();
    if (!['error', 'warning'].includes(message.type()) || isExpected(text, url)) return;
    if (text.includes(kNetworkChanged)) return;
    faults.push(`${message.type()}: ${text} (${url})`);
  });
  await page.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', (event) => {
      console.error(`policy violated: ${event.violatedDirective} ${event.blockedURI}`);
    });
  });
  return { page, context, faults };
}

// Opens the address; once more where the network changed before `isWhole`, a function that runs in
// the page, says that all of it is there.
export async function visit(page, address, isWhole) {
  const end = Date.now() + kPatienceMs;
  while (true) {
    const before = disturbances.get(page);
    const isDisturbed = () => disturbances.get(page) > before;
    try {
      await page.goto(address);
      while (!(await page.evaluate(isWhole))) {
        if (isDisturbed() || Date.now() > end) throw new Error(`${address} did not load`);
        await page.waitForTimeout(50);
      }
      return;
    } catch (error) {
      if (!isDisturbed() || Date.now() > end) throw error;
    }
  }
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
