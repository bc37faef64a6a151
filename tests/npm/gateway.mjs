// Somebody at the dashboard, with a notebook that lies behind the gateway, in a real browser.
// Usage: gateway.mjs DASHBOARD, with ALICE (a token) in the environment. Ends with 1 and says why
// where something is not as it should be.
import assert from 'node:assert/strict';
import { launch, openPage, visit } from './browser.mjs';

const [url] = process.argv.slice(2);
const { ALICE } = process.env;

const browser = await launch();
// The certificate is the test's own. Of what an old notebook complains of, nothing is ours.
const { page, context, diary } = await openPage(browser, { ignoreHTTPSErrors: true });

// Signs in, starts a notebook, and returns its frame once its files are listed.
async function startNotebook() {
  await visit(page, url, () => document.getElementById('sign-in')?.hidden === false);
  await page.getByLabel('Token').fill(ALICE);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('button', { name: 'Start Notebook' }).click();
  const node = page.locator('#part-page iframe');
  await node.waitFor();
  const frame = await (await node.elementHandle()).contentFrame();
  await frame.waitForURL(/\/tree/);
  await frame.locator('#new-dropdown-button').waitFor();
  return frame;
}

// Opens a new notebook in the frame, as its page does it, and computes.
async function compute(frame) {
  const path = await frame.evaluate(async () => {
    const answer = await fetch('/api/contents', {
      method: 'POST',
      body: JSON.stringify({ type: 'notebook' }),
    });
    return (await answer.json()).path;
  });
  // Without the name it begins with one kernel, and restarts it once the list of kernels is there:
  // what the first one was to compute is lost.
  const address = `/notebooks/${path}?kernel_name=python3`;
  await frame.evaluate((name) => location.assign(name), address);
  await frame.waitForURL(/\/notebooks\//);
  await frame.locator('#kernel_indicator_icon.kernel_idle_icon').waitFor();
  await frame.locator('.CodeMirror').first().click();
  await page.keyboard.type('1+1');
  await page.keyboard.press('Shift+Enter');
  const result = frame.locator('.output_result').first();
  await result.waitFor();
  assert.equal((await result.innerText()).trim(), '2');
}

const addresses = [];
const sockets = [];
page.on('request', (request) => addresses.push(request.url()));
page.on('websocket', (socket) => sockets.push(socket.url()));

try {
  const frame = await startNotebook();
  const { origin } = new URL(frame.url());
  assert.notEqual(origin, new URL(page.url()).origin);
  await compute(frame);
  assert.ok(
    sockets.some((address) => address.startsWith(origin.replace('https', 'wss'))),
    `no WebSocket went through the gateway: ${sockets}`,
  );
  // Neither a secret nor a code stands in any address but that of the door itself.
  const telling = addresses.filter(
    (address) => /[?&](token|code)=/.test(address) && !address.includes('/.resmgr/enter?'),
  );
  assert.deepEqual(telling, []);
  const [cookie] = (await context.cookies()).filter(({ name }) => name.includes('resmgr'));
  assert.ok(cookie.httpOnly && cookie.secure && cookie.sameSite === 'None', cookie);
  // The dashboard reads the task again: what is open in the frame stays.
  await frame.evaluate(() => {
    globalThis.stays = true;
  });
  await page.getByRole('link', { name: 'Timeline' }).click();
  await page.getByRole('link', { name: 'Page', exact: true }).click();
  await page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')));
  assert.equal(await frame.evaluate(() => globalThis.stays), true);
  // In a tab of its own, which has no cookie of the frame's, it is entered anew.
  const popup = page.waitForEvent('popup');
  await page.locator('#task-window').click();
  const tab = await popup;
  await tab.waitForURL(/\/tree$/);
  await tab.locator('#new-dropdown-button').waitFor();
} catch (error) {
  console.error(error, `\nWhat the browser met with:\n${diary.join('\n')}`);
  process.exitCode = 1;
} finally {
  await browser.close();
}
