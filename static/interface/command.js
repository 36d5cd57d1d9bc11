import { words } from '../words.js';

/** How long "Copied" stays. */
const COPIED_MS = 2000;

/**
 * Sets up the curl command for this page's address, with a button that copies it.
 *
 * @param {{ command: HTMLElement, button: HTMLButtonElement }} parts
 * @returns {(needsToken: boolean) => void} shows the command
 */
export function createCommand({ command, button }) {
  if (navigator.clipboard) {
    button.hidden = false;
    button.addEventListener('click', async () => {
      try {
        await navigator.clipboard.writeText(command.textContent ?? '');
        button.textContent = words.copied;
      } catch {
        getSelection()?.selectAllChildren(command);
        button.textContent = words.selected;
      }
      setTimeout(() => {
        button.textContent = words.copy;
      }, COPIED_MS);
    });
  }
  return (needsToken) => {
    command.textContent = words.command(new URL('/api/predict', location.href).href, needsToken);
  };
}
