// The few things that one wants of the DOM. Data become text and properties, never markup.

export const byId = (id) => document.getElementById(id);

// element('a', { href: '#', class: 'x', 'aria-label': 'y' }, 'text', otherElement)
export function element(name, attributes = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === true) node.setAttribute(key, '');
    else if (value !== false && value != null) node.setAttribute(key, value);
  }
  node.append(...children.filter((child) => child != null && child !== false && child !== ''));
  return node;
}

export function button(label, onClick, attributes = {}) {
  const node = element('button', { type: 'button', ...attributes }, label);
  node.addEventListener('click', onClick);
  return node;
}

// Writing the same again would make screen readers say it again.
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

export function setAttribute(node, name, value) {
  if (node.getAttribute(name) !== value) node.setAttribute(name, value);
}

// Hides it or shows it. Where what has the focus is hidden, `refuge` gets that.
export function setHidden(node, isHidden, refuge) {
  if (isHidden && node.contains(document.activeElement)) refuge.focus();
  node.hidden = isHidden;
}

// Makes the children of `list` those of `items`, in their order. An item keeps its node, and with
// it the focus. `make(item)` returns a node, `update(node, item)` fills it in. Where the node that
// has the focus goes, `refuge` gets it.
export function keepList(list, items, { key, make, update, refuge }) {
  const old = new Map([...list.children].map((node) => [node.dataset.key, node]));
  let place = list.firstElementChild;
  for (const item of items) {
    const name = String(key(item));
    let node = old.get(name);
    old.delete(name);
    if (!node) {
      node = make(item);
      node.dataset.key = name;
    }
    update(node, item);
    if (node === place) place = place.nextElementSibling;
    else list.insertBefore(node, place);
  }
  for (const node of old.values()) {
    const hadFocus = node.contains(document.activeElement);
    node.remove();
    if (hadFocus) refuge?.focus();
  }
}

// A list of what is called what: <dt> and <dd>. Facts without a value are left out.
export function showFacts(list, facts) {
  list.replaceChildren(
    ...facts
      .filter(([, value]) => value != null && value !== '')
      .map(([name, value]) =>
        element('div', {}, element('dt', {}, name), element('dd', {}, value)),
      ),
  );
}
