// What people do with the dashboard, in a real browser.
// Usage: dashboard.mjs URL SCENARIO, with ALICE, BOB and ADMIN (their tokens) and SCREENSHOTS (a
// folder) in the environment. Ends with 1 and says why where something is not as it should be.
import assert from 'node:assert/strict';
import { accessibilityFaults, launch, openPage, screenshot, visit } from './browser.mjs';

const [url, scenario] = process.argv.slice(2);
const { ALICE, BOB, ADMIN, SCREENSHOTS } = process.env;

// An answer that says no is one of the browser's errors too, though it was asked for: who is no
// admin is told so by /api/host.
const saysNo = (text, from) =>
  text.includes('Failed to load resource') && from.endsWith('/api/host');

const browser = await launch();
const open = (options) => openPage(browser, { isExpected: saysNo, ...options });

// Its script has run: it asks for a token, or has one.
const isWhole = () =>
  ['sign-in', 'navigation'].some((id) => document.getElementById(id)?.hidden === false);
const goTo = (page, address = url) => visit(page, address, isWhole);

async function signIn(page, token) {
  await goTo(page);
  await page.getByLabel('Token').fill(token);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('button', { name: 'Start Hello' }).waitFor();
}

const active = (page) => page.locator('#active > li');
const taskStatus = (page) => page.locator('#task-status');
const frame = (page) => page.frameLocator('#part-page iframe').locator('body');
const idIn = (page) => new URL(page.url()).hash.split('/')[2];
const waitForText = (locator, text, state = 'visible') =>
  locator.filter({ hasText: text }).first().waitFor({ state });

async function startHello(page) {
  await page.getByRole('button', { name: 'Start Hello' }).click();
  await page.waitForURL(/#\/tasks\//);
  await waitForText(taskStatus(page), 'Running');
}

async function stopShown(page) {
  await page.locator('#task-stop').click();
  await page.getByRole('dialog').getByRole('button', { name: 'Stop it' }).click();
  await waitForText(taskStatus(page), 'Stopped');
}

// Each status that is shown, in their order.
async function recordStatuses(page) {
  await page.evaluate(() => {
    const node = document.getElementById('task-status');
    globalThis.statuses = [];
    new MutationObserver(() => globalThis.statuses.push(node.textContent)).observe(node, {
      childList: true,
      subtree: true,
      characterData: true,
    });
  });
  return () => page.evaluate(() => globalThis.statuses);
}

// Whoever never touches a mouse presses Tab until they are there.
async function tabTo(page, name) {
  for (let presses = 0; presses < 40; presses += 1) {
    await page.keyboard.press('Tab');
    const focused = await page.evaluate(() => {
      const node = document.activeElement;
      return node.getAttribute('aria-label') ?? node.textContent.trim();
    });
    if (focused.startsWith(name)) return;
  }
  assert.fail(`Tab does not reach '${name}'`);
}

const scenarios = {
  async life() {
    const { page, faults } = await open();
    await signIn(page, ALICE);
    await page.getByText('Nothing runs yet.').waitFor();
    const statuses = await recordStatuses(page);
    await startHello(page);
    const seen = await statuses();
    assert.ok(seen.indexOf('Starting') < seen.indexOf('Running'), `statuses were ${seen}`);
    await waitForText(frame(page), /hello/i);
    assert.equal(await active(page).count(), 1);

    await page.getByRole('link', { name: 'Timeline' }).click();
    const steps = await page.locator('#timeline .step').allTextContents();
    assert.deepEqual(steps, [
      'Admitted',
      'Image pulled',
      'Container created',
      'Started',
      'Ready',
      'Stopped',
    ]);
    await page.getByRole('link', { name: 'Logs' }).click();
    await waitForText(
      page.locator('#logs-state'),
      /comes here by itself|ends here|printed nothing/,
    );

    // Another task ends while its owner looks at the usage: they need not ask again.
    await page.getByRole('link', { name: 'Usage' }).click();
    const total = page.locator('#usage-total');
    await waitForText(total, '1 task ran');
    await page.getByRole('link', { name: 'Services' }).click();
    await page.getByRole('link', { name: 'Page', exact: true }).click();
    await waitForText(frame(page), /hello/i);
    await stopShown(page);
    await waitForText(page.locator('#ended'), 'Hello', 'attached'); // behind its summary
    await active(page).first().waitFor({ state: 'detached' });
    await page.getByRole('link', { name: 'Usage' }).click();
    const other = await open();
    await signIn(other.page, ALICE);
    await startHello(other.page);
    await waitForText(total, '2 tasks ran');
    for (const title of ['By day', 'By service']) {
      const chart = page.locator('.chart', { hasText: title });
      await chart.getByText('The same as a table').click();
      assert.match(await chart.locator('tbody tr').last().innerText(), /(Hello|20\d\d)\s+2\s/);
    }
    assert.equal(await page.locator('.chart', { hasText: 'By user' }).count(), 0);
    await page.getByLabel('Show', { exact: true }).selectOption('tasks');
    await page.getByLabel('Range').selectOption('7');
    await page.getByRole('img', { name: 'By day: 7 bars.' }).waitFor();
    const download = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Save as CSV' }).click();
    assert.match((await download).suggestedFilename(), /^usage-.*\.csv$/);
    return [...faults, ...other.faults];
  },

  async keyboard() {
    const { page, faults } = await open();
    await goTo(page);
    // The field has the focus.
    await page.getByLabel('Token').waitFor();
    await page.keyboard.insertText(ALICE);
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'Start Hello' }).waitFor();
    await tabTo(page, 'Start Hello');
    await page.keyboard.press('Enter');
    await waitForText(taskStatus(page), 'Running');
    const focused = () => page.evaluate(() => document.activeElement.id);
    assert.equal(await focused(), 'task-heading');
    await tabTo(page, 'Stop');
    await page.keyboard.press('Enter');
    await page.getByRole('dialog').waitFor();
    // Enter alone stops nothing.
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'hidden' });
    assert.equal(await focused(), 'task-stop');
    await page.keyboard.press('Enter');
    await page.getByRole('dialog').waitFor();
    await tabTo(page, 'Stop it');
    await page.keyboard.press('Enter');
    await waitForText(taskStatus(page), 'Stopped');
    assert.equal(await focused(), 'task-heading');
    await tabTo(page, 'Close');
    await page.keyboard.press('Enter');
    await page.locator('#task').waitFor({ state: 'hidden' });
    assert.equal(await focused(), 'active-heading');
    return faults;
  },

  async twoUsers() {
    const people = await Promise.all([ALICE, BOB, ADMIN].map(() => open()));
    const [alice, bob, admin] = people.map(({ page }) => page);
    await signIn(alice, ALICE);
    await signIn(bob, BOB);
    await signIn(admin, ADMIN);
    await startHello(alice);
    await startHello(bob);
    const [ofAlice, ofBob] = [idIn(alice), idIn(bob)];
    await active(admin).nth(1).waitFor(); // everyone's, without a reload
    for (const [page, own, other] of [
      [alice, ofAlice, ofBob],
      [bob, ofBob, ofAlice],
    ]) {
      await goTo(page);
      await active(page).first().waitFor();
      const rows = await active(page).evaluateAll((nodes) => nodes.map((node) => node.dataset.key));
      assert.deepEqual(rows, [own]);
      assert.ok(!(await page.content()).includes(other), 'a page has the id of another one’s task');
      assert.equal(await page.getByRole('link', { name: 'Host' }).count(), 0);
    }
    return people.flatMap(({ faults }) => faults);
  },

  // A link that somebody was sent: the task is none, for them.
  async othersAddress() {
    const isMissing = (text, from) => saysNo(text, from) || from.includes('/api/tasks/');
    const { page: alice, faults } = await open();
    const { page: bob, faults: faultsOfBob } = await open({ isExpected: isMissing });
    await signIn(alice, ALICE);
    await startHello(alice);
    await signIn(bob, BOB);
    await goTo(bob, alice.url());
    await waitForText(bob.locator('#task-heading'), 'No such task');
    assert.ok(await bob.locator('#task-stop').isHidden());
    return [...faults, ...faultsOfBob];
  },

  async wrongToken() {
    const { page, faults, context } = await open();
    const fault = page.locator('#sign-in-fault');
    await goTo(page);
    await page.getByLabel('Token').fill('this is no token');
    await page.getByLabel('Token').press('Enter');
    await waitForText(fault, 'This is no token');
    await page.getByLabel('Token').fill(`${ALICE.slice(0, -6)}AAAAAA`);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await waitForText(fault, 'This token is not accepted');
    assert.match(await fault.innerText(), /signature/i);
    await screenshot(page, `${SCREENSHOTS}/wrong-token.png`);
    const addresses = [];
    page.on('request', (request) => addresses.push(request.url()));
    await page.getByLabel('Token').fill(` ${ALICE}\n`);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('button', { name: 'Start Hello' }).waitFor();
    // It survives a reload of this tab, and reaches no other; no address ever has it.
    await page.reload();
    await page.getByRole('button', { name: 'Start Hello' }).waitFor();
    assert.ok(addresses.length > 0 && addresses.every((address) => !address.includes(ALICE)));
    assert.equal(await page.evaluate(() => localStorage.length), 0);
    const second = await context.newPage();
    await second.goto(url);
    await second.getByLabel('Token').waitFor();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByLabel('Token').waitFor();
    assert.equal(await page.evaluate(() => sessionStorage.length), 0);
    return faults;
  },

  // The real thing in the frame: it stores, opens windows, and answers only to who has its token.
  async notebook() {
    const { page, faults } = await open();
    await signIn(page, ALICE);
    await page.getByRole('button', { name: 'Start Notebook' }).click();
    await waitForText(taskStatus(page), 'Running');
    const frame = page.frameLocator('#part-page iframe');
    await frame.locator('#new-dropdown-button').click();
    await screenshot(page, `${SCREENSHOTS}/notebook.png`);
    const opened = page.context().waitForEvent('page');
    await frame.locator('#kernel-python3 a').click();
    await (await opened).locator('.input_prompt').first().waitFor();
    await stopShown(page);
    return faults;
  },

  // A proxy that lets no WebSocket through.
  async polling() {
    const { page, faults } = await open();
    await page.routeWebSocket(/\/api\/live/, (socket) => socket.close());
    await signIn(page, ALICE);
    await waitForText(page.locator('#connection'), 'Updated every 3 s');
    await startHello(page);
    await waitForText(frame(page), /hello/i);
    await stopShown(page);
    return faults;
  },

  // The connection is cut in each way that the contract knows, and nothing is missed.
  async live() {
    const { page, faults } = await open();
    const sockets = [];
    await page.routeWebSocket(/\/api\/live/, (socket) => {
      const server = socket.connectToServer();
      sockets.push({ socket, since: Number(new URL(socket.url()).searchParams.get('since')) });
      socket.onClose((code, reason) => server.close({ code, reason }));
    });
    const waitForSockets = async (count) => {
      while (sockets.length < count) await page.waitForTimeout(20);
      await waitForText(page.locator('#connection'), 'Live');
    };
    await signIn(page, ALICE);
    await waitForSockets(1);
    await startHello(page);
    // Too slow: it comes back at once, and goes on behind what it has.
    await sockets[0].socket.close({ code: 1013 });
    await waitForSockets(2);
    assert.ok(sockets[1].since > sockets[0].since);
    // Cut off: it comes back by and by, and knows meanwhile that it is not live.
    await sockets[1].socket.close({ code: 1011 });
    await waitForText(page.locator('#connection'), 'Updated every 3 s');
    await waitForSockets(3);
    // Another journal: what was known is of no use, and all is asked for again.
    const reloaded = page.waitForRequest(/\/api\/tasks\?status=Starting/);
    const journal = '00000000-0000-4000-8000-000000000000';
    sockets[2].socket.send(JSON.stringify({ type: 'resync', journal, seq: 0 }));
    await reloaded;
    await stopShown(page);
    await active(page).first().waitFor({ state: 'detached' });
    // The token has run out.
    await sockets[2].socket.close({ code: 4401 });
    await waitForText(page.locator('#sign-in-fault'), 'Your token has expired');
    return faults;
  },

  // How far a start is comes between the events, and the page shows it.
  async progress() {
    const { page, faults } = await open();
    const sockets = [];
    const heard = [];
    await page.routeWebSocket(/\/api\/live/, (socket) => {
      const server = socket.connectToServer();
      sockets.push({ socket, since: new URL(socket.url()).searchParams.get('since') });
      socket.onClose((code, reason) => server.close({ code, reason }));
      server.onMessage((message) => {
        socket.send(message);
        heard.push(JSON.parse(message));
      });
    });
    const step = (text) => waitForText(page.locator('#task-step'), text);
    await signIn(page, ALICE);
    await waitForText(page.locator('#connection'), 'Live');
    await page.getByRole('button', { name: 'Start Slow to get ready' }).click();
    await page.waitForURL(/#\/tasks\//);
    await step('Waiting until it is ready');
    const taskId = idIn(page);
    const isProbing = ({ type, task }) =>
      type === 'task.progress' && task.taskId === taskId && task.progress.step === 'probing';
    while (!heard.some(isProbing)) await page.waitForTimeout(20);
    const tell = (id, progress) =>
      sockets[0].socket.send(
        JSON.stringify({ type: 'task.progress', taskId: id, task: { taskId: id, progress } }),
      );
    const since = new Date().toISOString();
    tell('another', { step: 'queued', since });
    const pull = { doneBytes: 3_000_000, totalBytes: 12_000_000, status: 'Downloading' };
    tell(taskId, { step: 'pulling', since, pull });
    await step('Pulling its image');
    assert.match(await page.locator('#task-bytes').textContent(), /^[^ ]+ .+ of .+/);
    assert.equal(await page.locator('#task-bar').getAttribute('value'), '0.25');
    // It has no number: the page goes on from the last event's.
    await sockets[0].socket.close({ code: 1013 });
    while (sockets.length < 2) await page.waitForTimeout(20);
    assert.match(sockets[1].since, /^[1-9][0-9]*$/);
    await step('Waiting until it is ready');
    return faults;
  },

  async looks() {
    const faults = [];
    const kinds = {
      desktop: { viewport: { width: 1280, height: 800 } },
      dark: { viewport: { width: 1280, height: 800 }, colorScheme: 'dark' },
      phone: { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true },
      narrow: {
        viewport: { width: 320, height: 640 },
        colorScheme: 'dark',
        reducedMotion: 'reduce',
      },
    };
    for (const [kind, options] of Object.entries(kinds)) {
      const { page, context, faults: itsFaults } = await open({ ...options, bypassCSP: true });
      const look = async (name) => {
        for (const fault of await accessibilityFaults(page))
          faults.push(`${kind}, ${name}: ${fault}`);
        const overflow = await page.evaluate(
          () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
        );
        if (overflow > 0) faults.push(`${kind}, ${name}: ${overflow} pixels too wide`);
        await screenshot(page, `${SCREENSHOTS}/${name}-${kind}.png`);
      };
      await goTo(page);
      await page.getByLabel('Token').waitFor();
      await look('sign-in');
      await signIn(page, ADMIN);
      await page.getByText('Nothing runs yet.').waitFor();
      await look('empty');
      await startHello(page);
      await waitForText(frame(page), /hello/i);
      await look('task-page');
      await page.getByRole('link', { name: 'Timeline' }).click();
      await look('task-timeline');
      await page.getByRole('link', { name: 'Logs' }).click();
      await waitForText(page.locator('#logs-state'), 'comes here by itself');
      await look('task-logs');
      await page.locator('#task-close').click();
      await active(page).first().waitFor();
      await look('services');
      await page.getByRole('button', { name: /^Stop Hello/ }).click();
      await page.getByRole('dialog').waitFor();
      await look('confirm');
      await page.getByRole('button', { name: 'Stop it' }).click();
      await page.locator('#ended-heading').click();
      await waitForText(page.locator('#ended'), 'Stopped');
      await look('services-ended');
      await page.getByRole('link', { name: 'Usage' }).click();
      await waitForText(page.locator('#usage-total'), 'ran for');
      for (const summary of await page.getByText('The same as a table').all())
        await summary.click();
      await look('usage');
      await page.getByRole('link', { name: 'Host' }).click();
      await waitForText(page.locator('#sinks'), 'seq');
      await look('host');
      faults.push(...itsFaults.map((fault) => `${kind}: ${fault}`));
      await context.close();
    }
    return faults;
  },
};

try {
  const faults = await scenarios[scenario]();
  assert.deepEqual(faults, [], 'the browser complained');
} catch (error) {
  // What was on the screens says more than the message.
  const pages = browser.contexts().flatMap((context) => context.pages());
  for (const [index, page] of pages.entries()) {
    await screenshot(page, `${SCREENSHOTS}/failed-${scenario}-${index}.png`).catch(() => {});
  }
  throw error;
} finally {
  await browser.close();
}
