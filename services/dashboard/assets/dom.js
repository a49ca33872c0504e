// Elements from data. Text only ever goes in as text, never as markup: the names of models and engines are strangers'. What
// does not print, or changes how other characters do, is shown by its number.

const HIDDEN = /(?![\n\t])[\p{C}\p{Zl}\p{Zp}]/gu;

/** Attributes that are read by people. */
const SHOWN = new Set(['title', 'alt', 'placeholder', 'aria-label', 'aria-description']);

function visible(text) {
  return text.replace(HIDDEN, (character) => `\\u{${character.codePointAt(0).toString(16)}}`);
}

/**
 * Makes an element. `attributes`: `class`, `href`, `aria-…`; `on…` adds a listener, `vars` sets custom CSS properties.
 * Children that are false, null or undefined are left out.
 * @param {string} tag
 * @param {Record<string, any>} [attributes]
 * @param {...any} children
 */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) continue;
    if (name === 'vars') for (const [key, text] of Object.entries(value)) element.style.setProperty(key, text);
    else if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? '' : SHOWN.has(name) ? visible(String(value)) : String(value));
  }
  const shown = children.flat(3).filter((child) => child !== false && child !== null && child !== undefined);
  element.append(...shown.map((child) => (child instanceof Node ? child : visible(String(child)))));
  return element;
}

/**
 * Makes the children of `parent` equal to `children`, touching only what differs: focus and selection stay. A child with
 * `data-key` stays the same element wherever it moves to.
 */
export function fill(parent, ...children) {
  const wanted = h('div', {}, ...children);
  morphChildren(parent, wanted);
}

function morph(old, wanted) {
  if (old.isEqualNode(wanted)) return;
  if (old.nodeType !== wanted.nodeType || old.nodeName !== wanted.nodeName) {
    old.replaceWith(wanted);
  } else if (old.nodeType === Node.TEXT_NODE) {
    old.data = wanted.data;
  } else {
    for (const { name } of [...old.attributes]) {
      // What its reader has opened stays open.
      if (!wanted.hasAttribute(name) && name !== 'open') old.removeAttribute(name);
    }
    for (const { name, value } of wanted.attributes) {
      // The policy of the page forbids style as an attribute, and allows it as a property.
      if (name === 'style') old.style.cssText = wanted.style.cssText;
      else if (old.getAttribute(name) !== value) old.setAttribute(name, value);
    }
    morphChildren(old, wanted);
  }
}

function morphChildren(old, wanted) {
  const next = [...wanted.childNodes];
  const known = new Map([...old.children].flatMap((child) => (keyOf(child) ? [[keyOf(child), child]] : [])));
  next.forEach((child, at) => {
    const same = known.get(keyOf(child));
    if (same !== undefined && old.childNodes[at] !== same) old.insertBefore(same, old.childNodes[at] ?? null);
    const present = old.childNodes[at];
    if (present === undefined) old.append(child);
    else if (keyOf(present) === keyOf(child)) morph(present, child);
    else old.insertBefore(child, present);
  });
  while (old.childNodes.length > next.length) old.lastChild.remove();
}

function keyOf(node) {
  return node.dataset?.key;
}
