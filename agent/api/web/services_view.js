// What can be started, what runs now, and the task that is looked at, beside each other.
import { button, byId, element, keepList, setAttribute, setHidden, setText } from './dom.js';
import { formatDuration, formatTime, shortId } from './format.js';
import { announce, confirm, notify, sentence } from './notices.js';
import { showStatus } from './status.js';
import { isActive } from './store.js';
import { taskView } from './task_view.js';
import { showElapsed, showFixed } from './ticker.js';

const kHowToBegin =
  'Nothing runs yet. Press Start at one of the services: its page opens here as soon as it is ' +
  'ready.';

// A picture from elsewhere would tell that place who looks at this page: such are not shown.
function pictureOf(icon) {
  if (!icon?.startsWith('data:image/')) return null;
  return element('img', { src: icon, alt: '', width: 28, height: 28 });
}

export function servicesView(session) {
  const { api, store } = session;
  const stopping = new Set(); // ids of those whose stop was asked for here
  let shownTask;

  async function start({ name, title }) {
    try {
      const task = await api.start(name);
      announce(`${title} is starting`);
      location.hash = `#/tasks/${task.taskId}`;
    } catch (error) {
      notify(error);
    }
  }

  async function stop(task) {
    const title = session.titleOf(task.serviceType);
    const isSure = await confirm(`Stop ${title}?`, 'What is not saved in it is lost.');
    if (!isSure || stopping.has(task.taskId)) return;
    stopping.add(task.taskId);
    showTasks();
    try {
      const { durationSeconds } = await api.stop(task.taskId);
      announce(`${title} has stopped; it ran for ${formatDuration(durationSeconds)}`);
    } catch (error) {
      notify(error);
    } finally {
      stopping.delete(task.taskId);
      showTasks();
    }
  }

  function showCatalog() {
    byId('catalog-empty').hidden = session.services.length > 0;
    byId('catalog').replaceChildren(
      ...session.services.map((service) => {
        const { title, description, icon } = service;
        return element(
          'li',
          { class: 'service' },
          pictureOf(icon),
          element(
            'div',
            { class: 'service-text' },
            element('strong', {}, title),
            element('p', {}, description),
          ),
          button('Start', () => start(service), {
            class: 'primary',
            'aria-label': `Start ${title}`,
          }),
        );
      }),
    );
  }

  function makeRow(task) {
    const { taskId } = task;
    const title = session.titleOf(task.serviceType);
    const row = element('li', { class: 'row' });
    row.parts = {
      link: element('a', { class: 'row-title', href: `#/tasks/${taskId}` }, title),
      status: element('span'),
      who: element('span', { class: 'row-who' }),
      time: element('span', { class: 'row-time' }),
      reason: element('p', { class: 'reason' }),
      open: element(
        'a',
        {
          class: 'button',
          href: `#/tasks/${taskId}/page`,
          'aria-label': `Open ${title} ${shortId(taskId)}`,
        },
        'Open',
      ),
      stop: button('Stop', () => stop(store.get(taskId)), {
        class: 'danger',
        'aria-label': `Stop ${title} ${shortId(taskId)}`,
      }),
    };
    const { link, status, who, time, reason, open, stop: stopButton } = row.parts;
    row.append(
      element('div', { class: 'row-line' }, link, status),
      element('div', { class: 'row-line faint' }, who, element('code', {}, shortId(taskId)), time),
      reason,
      element('div', { class: 'actions' }, open, stopButton),
    );
    return row;
  }

  function updateRow(row, task) {
    const { link, status, who, time, reason, open, stop: stopButton } = row.parts;
    const isStopping = stopping.has(task.taskId) || task.status === 'Stopping';
    showStatus(status, isStopping ? 'Stopping' : task.status);
    setText(who, session.isAdmin ? store.nameOf(task.userId) : '');
    setText(reason, sentence(task.statusReason ?? ''));
    reason.hidden = !task.statusReason;
    setHidden(open, task.status !== 'Running' || isStopping, link);
    setHidden(stopButton, !isActive(task) || isStopping, link);
    if (isActive(task)) {
      showElapsed(time, task.startTime ?? task.createdAt);
    } else {
      const ended = formatTime(task.stopTime ?? task.createdAt);
      showFixed(
        time,
        task.startTime ? `ran ${formatDuration(task.durationSeconds)}, ended ${ended}` : ended,
      );
    }
    if (task.taskId === shownTask) setAttribute(link, 'aria-current', 'true');
    else link.removeAttribute('aria-current');
  }

  function wantedTasks() {
    const words = byId('search-text').value.toLowerCase().split(/\s+/).filter(Boolean);
    return store.active().filter((task) => {
      const text = [
        task.taskId,
        task.serviceType,
        session.titleOf(task.serviceType),
        task.userId,
        store.nameOf(task.userId),
        task.status,
      ]
        .join(' ')
        .toLowerCase();
      return words.every((word) => text.includes(word));
    });
  }

  function showTasks() {
    const all = store.active().length;
    const active = wantedTasks();
    const ended = store.ended();
    const rows = { key: (task) => task.taskId, make: makeRow, update: updateRow };
    keepList(byId('active'), active, { ...rows, refuge: byId('active-heading') });
    keepList(byId('ended'), ended, { ...rows, refuge: byId('ended-heading') });
    byId('search').hidden = !session.isAdmin || all === 0;
    setText(byId('active-count'), all ? `(${all})` : '');
    byId('ended-box').hidden = ended.length === 0;
    const empty = byId('active-empty');
    empty.hidden = active.length > 0;
    if (all > 0) setText(empty, 'No task is like that.');
    else setText(empty, session.services.length > 0 ? kHowToBegin : 'Nothing runs.');
  }

  const task = taskView(session, stop);
  showCatalog();
  byId('active-empty').hidden = true; // until it is known what runs
  store.addEventListener('change', showTasks);
  byId('search-text').addEventListener('input', showTasks);

  return {
    show([id, part], { isNew, isFirst }) {
      byId('services').hidden = false;
      const isOther = id !== shownTask;
      shownTask = id;
      byId('services').classList.toggle('with-task', Boolean(id));
      // Who comes back from another page finds the task as they left it.
      byId('services-link').hash = location.hash || '#/services';
      if (id) {
        task.show(id, part);
        if (isOther && !isFirst) byId('task-heading').focus();
      } else {
        task.hide();
        document.title = 'Services – resmgr';
        if (isOther && !isNew) byId('active-heading').focus();
        else if (!isFirst && isNew) byId('services-heading').focus();
      }
      showTasks();
    },
    // The page of a service stays as it is behind other pages.
    hide() {
      byId('services').hidden = true;
    },
  };
}
