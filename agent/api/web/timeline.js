// A task's history as steps: those that were taken, and those that are still to come.
import { element, keepList } from './dom.js';
import { formatBytes, formatDuration, formatTime } from './format.js';
import { isActive } from './store.js';

const kBy = {
  user: 'by its user',
  admin: 'by an administrator',
  idle: 'because nobody used it',
  lifetime: 'because it had run for as long as it may',
  'start-failed': 'because the start failed',
};
const byWhom = (by) => kBy[by] ?? (by ? `(${by})` : '');

// What each event is called, and what more there is to say about it.
const kKinds = {
  'task.start_requested': ['Admitted'],
  'task.image_pulled': ['Image pulled'],
  'task.created': ['Container created', ({ containerId }) => containerId?.slice(0, 12)],
  'task.started': ['Started', ({ containerPort }) => containerPort && `on port ${containerPort}`],
  'task.ready': ['Ready'],
  'task.stop_requested': [
    'Stop asked for',
    ({ by, reason }) => [byWhom(by), reason].filter(Boolean).join(': '),
  ],
  'task.ended': [
    'Stopped',
    ({ exitCode, reason }) =>
      [exitCode >= 0 && `exit code ${exitCode}`, reason].filter(Boolean).join(', '),
  ],
  'task.failed': ['Could not start', ({ reason }) => reason],
  'task.removed': ['Container removed'],
  'task.oom': [
    'Out of memory',
    ({ memoryBytes }) => memoryBytes && `the limit is ${formatBytes(memoryBytes)}`,
  ],
  'task.port_changed': [
    'Port changed',
    ({ containerPort }) => containerPort && `to ${containerPort}`,
  ],
  'task.idle_warning': ['Warned', ({ reason }) => reason],
  'task.idle_warning_withdrawn': ['Warning withdrawn'],
  'task.extended': ['Extended'],
};

const kWay = [
  'task.start_requested',
  'task.image_pulled',
  'task.created',
  'task.started',
  'task.ready',
];
const nameOf = (type) => kKinds[type]?.[0] ?? type.replace(/^task\./, '').replaceAll('_', ' ');

// {key, label, time?, after?, detail?}: without a time it was left out, or is still to come.
function stepsOf(task) {
  const steps = task.events.map(({ seq, time, type, details }, index) => ({
    key: seq,
    type,
    label: nameOf(type),
    time,
    after: index > 0 ? (Date.parse(time) - Date.parse(task.events[index - 1].time)) / 1000 : null,
    detail: kKinds[type]?.[1]?.(details),
  }));
  const created = steps.findIndex(({ type }) => type === 'task.created');
  if (created >= 0 && !steps.some(({ type }) => type === 'task.image_pulled')) {
    steps.splice(created, 0, {
      key: 'no-pull',
      label: 'Image pulled',
      detail: 'not needed: it was there',
    });
  }
  if (!isActive(task)) return steps;
  const taken = Math.max(...steps.map(({ type }) => kWay.indexOf(type)));
  const isStopping = steps.some(({ type }) => type === 'task.stop_requested');
  const left = [...(isStopping ? [] : kWay.slice(taken + 1)), 'task.ended'];
  return [...steps, ...left.map((type) => ({ key: type, label: nameOf(type), detail: 'not yet' }))];
}

function makeStep({ label, time, after, detail }) {
  return element(
    'li',
    { class: time ? 'done' : 'open' },
    element('span', { class: 'step' }, label),
    time && element('time', { datetime: time }, formatTime(time)),
    after >= 0.05 && element('span', { class: 'faint' }, `+${formatDuration(after)}`),
    detail && element('span', { class: 'faint detail' }, detail),
  );
}

export function showTimeline(list, task) {
  keepList(list, stepsOf(task), { key: ({ key }) => key, make: makeStep, update: () => {} });
}
