// Signs people in, and shows the page that the address names.
import { Api, ApiError } from './api.js';
import { byId, setText } from './dom.js';
import { hostView } from './host_view.js';
import { Live } from './live.js';
import { announce, clearFault, notify, showFault } from './notices.js';
import { servicesView } from './services_view.js';
import { claimsOf, forgetToken, looksLikeToken, nameIn, saveToken, savedToken } from './session.js';
import { TaskStore } from './store.js';
import { startTicking } from './ticker.js';
import { usageView } from './usage_view.js';

const kFarewell = 'resmgr.farewell'; // why the person was signed out, for the page after that

// A reload leaves nothing in memory of what was shown.
function signOut(problem) {
  forgetToken();
  if (problem) sessionStorage.setItem(kFarewell, JSON.stringify(problem));
  history.replaceState(null, '', location.pathname);
  location.reload();
}

// Admins are those who may see the host. Throws where nobody knows the caller.
async function readHost(api) {
  try {
    return await api.get('host');
  } catch (error) {
    if (error.status === 403) return null;
    throw error;
  }
}

function showSignIn() {
  const fault = byId('sign-in-fault');
  const field = byId('token');
  byId('sign-in').hidden = false;
  const farewell = sessionStorage.getItem(kFarewell);
  sessionStorage.removeItem(kFarewell);
  if (farewell) showFault(fault, new ApiError(401, JSON.parse(farewell)));
  field.focus();

  const refuse = (error) => {
    showFault(fault, error);
    field.setAttribute('aria-invalid', 'true');
    field.select();
  };
  let isAsking = false;
  byId('sign-in-form').addEventListener('submit', async (event) => {
    event.preventDefault();
    if (isAsking) return;
    const token = field.value.trim();
    clearFault(fault);
    if (!looksLikeToken(token)) {
      refuse(
        new ApiError(0, {
          title: 'This is no token',
          detail: token
            ? 'A token is one long word of letters, digits, dots, hyphens and underscores.'
            : 'Paste the token into the field.',
        }),
      );
      return;
    }
    isAsking = true;
    try {
      await enter(token);
      saveToken(token);
      field.value = '';
      byId('main').focus();
    } catch (error) {
      if (error.status === 401) error.problem.title = 'This token is not accepted';
      refuse(error);
    } finally {
      isAsking = false;
    }
  });
}

const kStates = {
  live: 'Live',
  polling: 'Updated every 3 s',
  away: 'No answer: trying again',
};

// What they did not do themselves they are told of, if it is theirs.
function tell(session, event) {
  const { task, type } = event;
  if (session.isAdmin && task.userId !== session.claims.sub) return;
  const title = session.titleOf(task.serviceType);
  if (type === 'task.ready') announce(`${title} is running`);
  if (type === 'task.ended') announce(`${title} has stopped`);
  if (type === 'task.failed') announce(`${title} could not be started`);
  if (type === 'task.idle_warning') {
    const warning = new ApiError(0, {
      title: `${title} will be stopped soon`,
      detail: 'It is not in use, or has run for as long as it may.',
    });
    const extend = () => session.extend(task.taskId);
    notify(warning, { kind: 'warning', action: ['Let it run an hour longer', extend] });
  }
}

function startLive(session) {
  const { api, store } = session;
  const load = async () => {
    const { tasks, position } = await api.tasks(TaskStore.endedKept);
    store.replace(tasks, position.seq);
    return position;
  };
  const live = new Live(api, load, {
    onEvent(event) {
      if (event.task && store.apply(event.task, event.seq)) tell(session, event);
    },
    onProgress: (task) => store.tellProgress(task),
    onResync: () => store.forget(),
    onState(state) {
      setText(byId('connection'), kStates[state]);
      byId('connection').dataset.state = state;
    },
    onExpired: () => signOut({ title: 'You were signed out', detail: 'Your token has expired.' }),
  });
  live.start();
}

// "#/tasks/ID/logs" -> ['tasks', 'ID', 'logs']
const partsOf = (hash) => hash.split('/').slice(1);

function startRouting(session) {
  const services = servicesView(session);
  const pages = { services, tasks: services, usage: usageView(session) };
  if (session.isAdmin) pages.host = hostView(session);
  let shown;
  const route = () => {
    const [name = '', ...rest] = partsOf(location.hash);
    const page = Object.hasOwn(pages, name) ? pages[name] : services;
    if (shown && page !== shown) shown.hide();
    for (const link of byId('navigation').children) {
      const isCurrent = pages[partsOf(link.hash)[0]] === page;
      if (isCurrent) link.setAttribute('aria-current', 'page');
      else link.removeAttribute('aria-current');
    }
    // The first page must not take the focus from where reading begins.
    page.show(name === 'tasks' ? rest : [], { isNew: page !== shown, isFirst: !shown });
    shown = page;
  };
  window.addEventListener('hashchange', route);
  route();
}

// Throws where the agent doesn't know them, or doesn't answer.
async function enter(token) {
  const api = new Api(token);
  const host = await readHost(api);
  const services = await api.get('services');
  api.onRefused = ({ problem }) => signOut({ ...problem, title: 'You were signed out' });
  const titles = new Map(services.map(({ name, title }) => [name, title || name]));
  const claims = claimsOf(token);
  const session = {
    api,
    claims,
    services,
    store: new TaskStore(),
    isAdmin: host !== null,
    titleOf: (serviceType) => titles.get(serviceType) ?? serviceType,
    // Puts off the stop of a task.
    async extend(taskId) {
      try {
        await api.send('POST', `tasks/${encodeURIComponent(taskId)}/extend`, {
          body: { by: '1h' },
        });
        announce('It runs an hour longer');
      } catch (error) {
        notify(error);
      }
    },
  };
  byId('who').textContent = nameIn(claims) + (session.isAdmin ? ' (admin)' : '');
  byId('sign-out').addEventListener('click', () => signOut());
  byId('sign-in').hidden = true;
  byId('navigation').hidden = false;
  byId('account').hidden = false;
  byId('host-link').hidden = !session.isAdmin;
  startLive(session);
  startTicking(api);
  startRouting(session);
}

byId('skip').addEventListener('click', () => byId('main').focus());
const token = savedToken();
if (token) enter(token).catch((error) => (showSignIn(), notify(error)));
else showSignIn();
