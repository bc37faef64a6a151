// Times that grow while one looks at them.
import { formatDuration } from './format.js';
import { setText } from './dom.js';

let api;

const show = (node) => {
  setText(node, formatDuration((api.now() - Date.parse(node.dataset.since)) / 1000));
};

// From now on `node` shows how long it is since that time.
export function showElapsed(node, since) {
  node.dataset.since = since;
  show(node);
}

// `node` shows `text`, and stays so.
export function showFixed(node, text) {
  delete node.dataset.since;
  setText(node, text);
}

// Time goes by the clock of the agent that `itsApi` asks.
export function startTicking(itsApi) {
  api = itsApi;
  setInterval(() => {
    if (!document.hidden) document.querySelectorAll('[data-since]').forEach(show);
  }, 1000);
}
