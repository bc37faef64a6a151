// How far the start of a task has come: the step in words, and a bar, which moves with the bytes while
// an image is pulled.
import { byId, setText } from './dom.js';
import { formatBytes, formatDuration } from './format.js';
import { showElapsed, showFixed } from './ticker.js';

const kSteps = {
  queued: 'Waiting for its turn',
  pulling: 'Pulling its image',
  creating: 'Creating its container',
  starting: 'Starting its container',
  probing: 'Waiting until it is ready',
};

// An image is all there before it is unpacked: the engine's words tell that.
function bytesOf({ doneBytes, totalBytes, status }) {
  if (!totalBytes) return status;
  const bytes = `${formatBytes(doneBytes)} of ${formatBytes(totalBytes)}`;
  return doneBytes < totalBytes || !status ? bytes : `${bytes}, ${status}`;
}

function placeOf({ position, expectedWaitSeconds }) {
  const place = position === 1 ? 'It is next' : `${position - 1} before it`;
  return expectedWaitSeconds === null
    ? place
    : `${place}, about ${formatDuration(expectedWaitSeconds)}`;
}

// Without a value the bar only says that something goes on.
function showShare(bar, pull) {
  if (pull?.totalBytes) bar.value = pull.doneBytes / pull.totalBytes;
  else bar.removeAttribute('value');
}

// The step is read aloud when it changes; seconds and bytes are not, for they always do.
export function showStartProgress(task) {
  const { step, since, pull, queue } = task.progress ?? {};
  const isStarting = task.status === 'Starting';
  byId('task-progress').hidden = !isStarting;
  setText(byId('task-step'), isStarting ? (kSteps[step] ?? 'Starting') : '');
  if (isStarting && since) showElapsed(byId('task-step-time'), since);
  else showFixed(byId('task-step-time'), '');
  showShare(byId('task-bar'), pull);
  const waits = queue ? placeOf(queue) : '';
  setText(byId('task-bytes'), pull ? bytesOf(pull) : waits);
}
