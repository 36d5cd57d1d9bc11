/** The command for this page's own address, with a button that copies it where the browser lets it. */

/** How long "Copied" stays (milliseconds). */
const COPIED = 2000;

/**
 * @param {{ command: HTMLElement, button: HTMLButtonElement }} parts
 * @returns {(needsToken: boolean) => void} shows the command
 */
export function createCommand({ command, button }) {
  if (navigator.clipboard) {
    button.hidden = false;
    button.addEventListener('click', async () => {
      try {
        await navigator.clipboard.writeText(command.textContent ?? '');
        button.textContent = 'Copied';
      } catch {
        getSelection()?.selectAllChildren(command);
        button.textContent = 'Selected';
      }
      setTimeout(() => {
        button.textContent = 'Copy';
      }, COPIED);
    });
  }
  return (needsToken) => {
    const token = needsToken ? "-H 'Authorization: Bearer YOUR-TOKEN' " : '';
    command.textContent = `curl ${token}-F file=@photo.jpg ${new URL('/api/predict', location.href)}`;
  };
}
