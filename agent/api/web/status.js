// The word for how something does, with a mark whose shape and colour say the same.
import { element } from './dom.js';

const kMarks = {
  Starting: 'busy',
  Running: 'good',
  Stopping: 'busy',
  Stopped: 'rest',
  Error: 'bad',
  current: 'good',
  sending: 'busy',
  failing: 'bad',
  refusing: 'bad',
};

export function showStatus(node, status, label = status) {
  if (node.dataset.status === status) return;
  node.dataset.status = status;
  node.className = `status ${kMarks[status] ?? 'rest'}`;
  node.replaceChildren(element('span', { class: 'mark', 'aria-hidden': 'true' }), label);
}
