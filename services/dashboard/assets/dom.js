// Creates elements from data. Text is always inserted as text, never as markup, because names of models and engines are
// untrusted. Characters that do not print, or that change how others print, are shown by code point.

const HIDDEN = /(?![\n\t])[\p{C}\p{Zl}\p{Zp}]/gu;

/** Attributes that people read. */
const SHOWN = new Set(['title', 'alt', 'placeholder', 'aria-label', 'aria-description']);

function visible(text) {
  return text.replace(HIDDEN, (character) => `\\u{${character.codePointAt(0).toString(16)}}`);
}

/**
 * Creates an element. `attributes`: `class`, `href`, `aria-…`; `on…` adds a listener, `vars` sets custom CSS
 * properties. Children that are false, null or undefined are left out.
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
 * Makes the children of `parent` equal to `children` and changes only what differs, so focus and selection stay. A
 * child with `data-key` stays the same element when it moves.
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
      // Details that the user opened stay open.
      if (!wanted.hasAttribute(name) && name !== 'open') old.removeAttribute(name);
    }
    for (const { name, value } of wanted.attributes) {
      // The page's CSP forbids the style attribute, but allows style properties.
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
