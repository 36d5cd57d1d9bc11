/** The three ways in which a photo reaches the page: chosen, dropped anywhere, pasted. */

/**
 * @param {object} options
 * @param {HTMLInputElement} options.input
 * @param {(file: File) => void} options.onPhoto
 * @param {() => void} options.onNothing something was dropped or pasted, but no file
 * @param {(over: boolean) => void} options.onDrag a file hovers over the page, or no longer
 */
export function onPick({ input, onPhoto, onNothing, onDrag }) {
  input.addEventListener('change', () => {
    const file = input.files?.[0];
    // Emptied, so that choosing the same photo again is a change too.
    input.value = '';
    if (file) onPhoto(file);
  });

  addEventListener('dragover', (event) => {
    event.preventDefault();
    if (event.dataTransfer) event.dataTransfer.dropEffect = 'copy';
    onDrag(true);
  });
  addEventListener('dragleave', (event) => {
    // Moving from one element to the next also leaves; only out of the window there is nothing to enter.
    if (event.relatedTarget === null) onDrag(false);
  });
  addEventListener('drop', (event) => {
    event.preventDefault();
    onDrag(false);
    take(event.dataTransfer);
  });

  addEventListener('paste', (event) => {
    if (event.target instanceof HTMLInputElement && event.target.type !== 'file') return;
    take(event.clipboardData);
  });

  /** @param {DataTransfer | null} data */
  function take(data) {
    const file = data?.files[0];
    if (file) onPhoto(file);
    else onNothing();
  }
}
