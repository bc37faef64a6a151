// For admins: how the host does, and the destinations of its records.
import { button, byId, element, keepList, setText, showFacts } from './dom.js';
import { formatDuration, formatNumber, formatTime } from './format.js';
import { announce, clearFault, notify, sentence, showFault } from './notices.js';
import { showStatus } from './status.js';

const kRefreshMs = 5000;

const kStates = {
  current: 'Up to date',
  sending: 'Sending',
  failing: 'Away: tried again and again',
  refusing: 'Refuses everything; all is kept',
};

const count = (number, one, many) => `${formatNumber(number)} ${number === 1 ? one : many}`;

function poolOf({ service, ready, wanted, hits, misses, problem }) {
  const starts = hits + misses;
  const given = starts > 0 ? `, given to ${hits} of ${count(starts, 'start', 'starts')}` : '';
  return `${service} ${ready} of ${wanted}${given}${problem ? `: ${problem}` : ''}`;
}

function factsOf(host) {
  const { engine, journal, tasks } = host;
  const reason = host.drainReason ? `: ${host.drainReason}` : '';
  const more = engine.lastError ? `: ${engine.lastError}` : '';
  return [
    ['Name', host.name],
    ['Agent', `resmgr ${host.version}, since ${formatTime(host.startedAt)}`],
    [
      'Container engine',
      engine.reachable ? `Docker ${engine.version ?? ''}` : `Does not answer${more}`,
    ],
    [
      'Journal',
      journal.writable
        ? `${formatNumber(journal.head)} events`
        : 'Can’t be written: no starts are accepted',
    ],
    ['Tasks', `${tasks.running} running, ${tasks.starting} starting, ${tasks.stopping} stopping`],
    ['Starts', host.draining ? `Refused since ${formatTime(host.drainedAt)}${reason}` : 'Accepted'],
    ...(host.pools.length > 0 ? [['Kept ready', host.pools.map(poolOf).join('; ')]] : []),
    ['Listens on', host.listen.join(', ')],
  ];
}

export function hostView({ api }) {
  let timer;

  async function act(name, action, done) {
    try {
      const answer = await api.send('POST', `sinks/${encodeURIComponent(name)}/${action}`);
      announce(done(await answer.json()));
      await read();
    } catch (error) {
      notify(error);
    }
  }

  function makeSink({ name }) {
    const item = element('li', { class: 'sink' });
    item.parts = {
      status: element('span'),
      behind: element('p'),
      fault: element('p', { class: 'reason' }),
      hint: element('p'),
      sync: button('Try now', () => act(name, 'sync', () => `${name} is tried now`), {
        'aria-label': `Try now: ${name}`,
      }),
      retry: button('', () =>
        act(name, 'retry', ({ retrying }) => `${count(retrying, 'record', 'records')} tried again`),
      ),
    };
    const { status, behind, fault, hint, sync, retry } = item.parts;
    item.append(
      element('div', { class: 'row-line' }, element('h3', {}, name), status),
      behind,
      fault,
      hint,
      element('div', { class: 'actions' }, sync, retry),
    );
    return item;
  }

  function updateSink(item, sink) {
    const { status, behind, fault, hint, retry } = item.parts;
    showStatus(status, sink.state, kStates[sink.state]);
    const last = sink.lastSuccess
      ? `Last success ${formatTime(sink.lastSuccess)}.`
      : 'No success yet.';
    const lag = `${count(sink.lagEvents, 'event', 'events')} behind`;
    const age = `the oldest for ${formatDuration(sink.lagSeconds)}`;
    setText(behind, sink.lagEvents === 0 ? last : `${lag}, ${age}. ${last}`);
    setText(fault, sentence(sink.lastError ?? ''));
    setText(hint, sink.hint ? `Try: ${sink.hint}` : '');
    fault.hidden = !sink.lastError;
    hint.hidden = !sink.hint;
    retry.hidden = sink.deadLetters === 0;
    setText(retry, `Try again ${count(sink.deadLetters, 'record', 'records')} set aside`);
  }

  function showFaults({ faults }) {
    byId('catalog-faults').replaceChildren(
      ...faults.map(({ where, what }) =>
        element('p', { class: 'reason' }, `The service file ${where} can't be used: ${what}`),
      ),
    );
  }

  async function read() {
    clearTimeout(timer);
    try {
      const host = await api.get('host');
      clearFault(byId('host-fault'));
      showFacts(byId('host-facts'), factsOf(host));
      showFaults(host.catalog);
      byId('sinks-empty').hidden = host.sinks.length > 0;
      keepList(byId('sinks'), host.sinks, {
        key: ({ name }) => name,
        make: makeSink,
        update: updateSink,
        refuge: byId('sinks-heading'),
      });
    } catch (error) {
      showFault(byId('host-fault'), error);
    }
    if (byId('host').hidden) return;
    timer = setTimeout(readIfSeen, kRefreshMs);
  }

  function readIfSeen() {
    if (document.hidden) timer = setTimeout(readIfSeen, kRefreshMs);
    else read();
  }

  return {
    show(parts, { isFirst }) {
      byId('host').hidden = false;
      document.title = 'Host – resmgr';
      if (!isFirst) byId('host-heading').focus();
      read();
    },
    hide() {
      byId('host').hidden = true;
      clearTimeout(timer);
    },
  };
}
