// One task: its page in a frame, its timeline, its logs.
import { byId, element, setHidden, setText, showFacts } from './dom.js';
import { formatBytes, formatDuration, formatTime, shortId } from './format.js';
import { LogReader } from './logs.js';
import { sentence } from './notices.js';
import { showStartProgress } from './start_progress.js';
import { showStatus } from './status.js';
import { isActive } from './store.js';
import { showTimeline } from './timeline.js';

// What notebooks and the like need; not the right to take the whole window elsewhere.
const kSandbox =
  'allow-scripts allow-same-origin allow-forms allow-downloads allow-popups allow-modals';

const kRetryMs = 3000;

const kParts = { page: 'Page', timeline: 'Timeline', logs: 'Logs' };

// Through the gateway a service's address has a code that is another each time, and soon too old.
const hasCode = (url) => new URL(url, location.href).pathname.endsWith('/.resmgr/enter');

function isSamePlace(one, other) {
  const [a, b] = [one, other].map((url) => new URL(url, location.href));
  if (hasCode(a) && hasCode(b)) a.search = b.search;
  return a.href === b.href;
}

// Why the service's page can't be shown inside this one; empty if it can.
function framingFault(url) {
  const { origin, protocol } = new URL(url, location.href);
  // It would share this page's storage, and with it the token.
  if (origin === location.origin) return 'This service has the same address as this page.';
  if (location.protocol === 'https:' && protocol === 'http:') {
    return 'This page came over HTTPS, and the service can be had over HTTP only.';
  }
  return '';
}

function factsOf(task, session) {
  const { usage } = task;
  return [
    ['Task', element('code', {}, task.taskId)],
    ['User', session.isAdmin ? session.store.nameOf(task.userId) : null],
    ['Host', task.host],
    ['Port', task.containerPort],
    ['Started', task.startTime && formatTime(task.startTime)],
    ['Stopped', task.stopTime && formatTime(task.stopTime)],
    [
      'Ran',
      task.durationSeconds != null && task.startTime
        ? formatDuration(task.durationSeconds) + (task.precision === 'bounded' ? ' at least' : '')
        : null,
    ],
    ['CPU time', usage && formatDuration(usage.cpuMs / 1000)],
    ['Peak memory', usage && formatBytes(usage.peakMemoryBytes)],
    [
      'Network',
      usage && `${formatBytes(usage.networkRxBytes)} in, ${formatBytes(usage.networkTxBytes)} out`,
    ],
    [
      'Stopped for idleness',
      task.idleUntil && `at ${formatTime(task.idleUntil)}, unless it is used`,
    ],
    ['Runs at most until', task.lifetimeUntil && formatTime(task.lifetimeUntil)],
    ['Usage hash', task.usageHash && element('code', {}, task.usageHash)],
    ...task.receipts.map(({ sink }) => ['Receipt', `from ${sink}`]),
  ];
}

export function taskView(session, stop) {
  const { api, store } = session;
  const logs = new LogReader(api);
  let wanted; // the id
  let part; // as the address names it; without one it goes by the status
  let task; // as it was read last
  let seen; // the store's object then
  let reading = false;
  let again = false;
  let logsOf; // the id whose log is open

  // One at a time; who comes meanwhile makes it look once more.
  async function read() {
    again = true;
    if (reading) return;
    reading = true;
    while (again && wanted) {
      again = false;
      await readOnce(wanted);
    }
    reading = false;
  }

  async function readOnce(id) {
    seen = store.get(id);
    try {
      const answer = await api.task(id);
      if (id !== wanted) return;
      task = answer;
      render();
    } catch (error) {
      if (id !== wanted) return;
      if (error.status === 404) {
        renderMissing(error);
      } else {
        showReason(error.message);
        setTimeout(read, kRetryMs);
      }
    }
  }

  function renderMissing(error) {
    byId('task-heading').textContent = 'No such task';
    showReason(error.problem.detail);
    for (const id of [
      'task-progress',
      'task-parts',
      'task-stop',
      'task-window',
      'part-page',
      'part-timeline',
      'part-logs',
    ]) {
      byId(id).hidden = true;
    }
    wanted = undefined;
  }

  function showReason(text) {
    setText(byId('task-reason'), sentence(text ?? ''));
    byId('task-reason').hidden = !text;
  }

  const shownPart = () => part ?? (task.status === 'Running' ? 'page' : 'timeline');

  function render() {
    const title = session.titleOf(task.serviceType);
    const heading = byId('task-heading');
    document.title = `${title} – resmgr`;
    setText(heading, title);
    showStatus(byId('task-status'), task.status);
    showReason(task.statusReason);
    showStartProgress(task);
    setHidden(byId('task-stop'), !isActive(task) || task.status === 'Stopping', heading);
    const link = byId('task-window');
    setHidden(link, task.status !== 'Running' || !task.iframeUrl, heading);
    if (!link.hidden) link.href = task.iframeUrl;
    renderParts();
    renderPage(title);
    showTimeline(byId('timeline'), task);
    showFacts(byId('facts'), factsOf(task, session));
    byId('extend').hidden = task.status !== 'Running' || !(task.idleUntil || task.lifetimeUntil);
  }

  function renderParts() {
    byId('task-parts').hidden = false;
    byId('task-parts').replaceChildren(
      ...Object.entries(kParts).map(([name, label]) =>
        element(
          'a',
          {
            href: `#/tasks/${task.taskId}/${name}`,
            'aria-current': name === shownPart() && 'page',
          },
          label,
        ),
      ),
    );
    for (const name of Object.keys(kParts)) byId(`part-${name}`).hidden = name !== shownPart();
    if (shownPart() !== 'logs') {
      logs.close();
      logsOf = undefined;
    } else if (logsOf !== task.taskId) {
      logsOf = task.taskId;
      logs.open(task.taskId);
    }
  }

  // A frame stays for as long as its address does: what is open in it must not be lost.
  function renderPage(title) {
    const page = byId('part-page');
    const url = task.status === 'Running' ? task.iframeUrl : null;
    const say = (text) => page.replaceChildren(element('p', { class: 'empty' }, text));
    page.dataset.url = url ?? '';
    if (!url) {
      say(
        {
          Starting: `${title} is starting. Its page opens here once it is ready.`,
          Stopping: `${title} is being stopped.`,
          Stopped: `${title} has stopped. Start it again from the list of services.`,
        }[task.status] ?? `${title} has no page that could be shown.`,
      );
    } else if (framingFault(url)) {
      say(`${framingFault(url)} Open it in a tab of its own.`);
    } else if (!page.firstChild?.src || !isSamePlace(page.firstChild.src, url)) {
      page.replaceChildren(
        element('iframe', {
          src: url,
          title: `${title} ${shortId(task.taskId)}`,
          sandbox: kSandbox,
        }),
      );
    }
  }

  store.addEventListener('change', () => {
    if (wanted && store.get(wanted) !== seen) read();
  });
  // What has the focus stays: only the progress is drawn anew.
  store.addEventListener('progress', ({ detail: { taskId, progress } }) => {
    if (taskId !== wanted || task?.taskId !== wanted || task.status !== 'Starting') return;
    task.progress = progress;
    showStartProgress(task);
  });
  byId('task-window').addEventListener('click', async (event) => {
    if (!hasCode(event.currentTarget.href)) return;
    event.preventDefault();
    // Opened at once, or it would be taken for one that nobody asked for.
    const opened = window.open('about:blank');
    if (!opened) return;
    opened.opener = null;
    try {
      const { iframeUrl } = await api.task(wanted);
      if (!iframeUrl) throw new Error('The task does not run any more.');
      opened.location = iframeUrl;
    } catch (error) {
      opened.close();
      showReason(error.message);
    }
  });
  byId('task-stop').addEventListener('click', () => stop(task));
  byId('extend').addEventListener('click', async () => {
    await session.extend(task.taskId);
    read();
  });

  return {
    show(id, itsPart) {
      byId('task').hidden = false;
      part = Object.hasOwn(kParts, itsPart ?? '') ? itsPart : undefined;
      if (id === wanted && task?.taskId === id) {
        render();
        return;
      }
      wanted = id;
      setText(byId('task-heading'), session.titleOf(store.get(id)?.serviceType ?? 'Task'));
      showReason('');
      read();
    },
    hide() {
      wanted = undefined;
      byId('task').hidden = true;
      byId('part-page').replaceChildren();
      logs.close();
      logsOf = undefined;
    },
  };
}
