// Commands to copy, with the address and the flags for this router.
import { h } from './dom.js';
import { live } from './live.js';

const DEFAULT_ADDRESS = '127.0.0.1:50051';

/** A command with a button that copies it. */
export function command(text) {
  return h(
    'div',
    { class: 'command' },
    h('code', {}, addressed(text)),
    h('button', { type: 'button', class: 'quiet copy', onclick: copy }, 'Copy'),
  );
}

/** Adds the flags that `npx tandem` needs to reach this router. */
function addressed(text) {
  const { address = '', flags = '' } = live.last?.client ?? {};
  if (!text.startsWith('npx tandem ') || text.endsWith('--help')) return text;
  // The router listens on all addresses, so the address that this browser uses works, too.
  const reached = address.replace(/^(0\.0\.0\.0|\[::\])/, location.hostname);
  const isDefault = reached === '' || reached === DEFAULT_ADDRESS;
  const added = [isDefault ? '' : `--address ${reached}`, flags]
    .filter((flag) => flag !== '')
    .map((flag) => ` ${flag}`);
  return text.replace(/( >.*)?$/, `${added.join('')}$1`);
}

async function copy({ currentTarget: button }) {
  const code = button.previousSibling;
  try {
    await navigator.clipboard.writeText(code.textContent);
    button.textContent = 'Copied';
  } catch {
    // Browsers allow the clipboard on secure pages only.
    getSelection().selectAllChildren(code);
    button.textContent = 'Selected';
  }
  setTimeout(() => (button.textContent = 'Copy'), 1_500);
}
