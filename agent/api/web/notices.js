// What is said to people: faults they must read, and news they may hear.
import { button, byId, element } from './dom.js';

// As the agent says what went wrong, it begins small.
export const sentence = (text) => text.charAt(0).toUpperCase() + text.slice(1);

// An error as people read it: a title, and what else there is to know.
function explain(error) {
  const { problem = {}, message } = error;
  const lines = [problem.detail ?? message];
  // The detail tells of the faults already where there is one.
  if ((problem.errors?.length ?? 0) > 1) {
    lines.push(...problem.errors.map(({ pointer, detail }) => `${pointer}: ${detail}`));
  }
  if (problem.hint) lines.push(`Try: ${problem.hint}`);
  return { title: problem.title ?? 'That did not work', lines: lines.map(sentence) };
}

// `node` has the role "alert", so that it is read out.
export function showFault(node, error) {
  const { title, lines } = explain(error);
  node.replaceChildren(
    element('strong', {}, title),
    ...lines.map((line) => element('p', {}, line)),
  );
}

export const clearFault = (node) => node.replaceChildren();

// Stays until it is closed; one that says the same takes the place of the first.
export function notify(error, { kind = 'fault', action } = {}) {
  const content = element('div', { role: 'alert' });
  const notice = element('div', { class: `notice ${kind}` }, content);
  if (action) {
    const [label, act] = action;
    notice.append(button(label, () => (notice.remove(), act())));
  }
  notice.append(button('Close', () => notice.remove(), { class: 'quiet' }));
  showFault(content, error);
  for (const other of byId('notices').children) {
    if (other.firstChild.textContent === content.textContent) other.remove();
  }
  byId('notices').append(notice);
}

export function announce(text) {
  byId('announcer').textContent = text;
}

// Whether the person said yes.
export function confirm(heading, text) {
  const dialog = byId('confirm');
  byId('confirm-heading').textContent = heading;
  byId('confirm-text').textContent = text;
  dialog.returnValue = '';
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => resolve(dialog.returnValue === 'ok'), { once: true });
  });
}
