import { looksLikePicture } from './formats.js';

/** @import { Formats } from './formats.js' */

/** A folder dropped by mistake should not keep a phone busy for an hour. */
const MAX_FILES = 500;

/**
 * Listens for photos: chosen, taken with the camera, pasted, or dropped anywhere, also as folders.
 *
 * @param {object} options
 * @param {readonly HTMLInputElement[]} options.inputs
 * @param {() => Formats | undefined} options.formats returns the service's formats once they are known
 * @param {(files: File[], skipped: { others: number, beyond: number, limit: number }) => void} options.onPhotos
 *   `others` counts files in folders that are no pictures, `beyond` the pictures past the limit
 * @param {() => void} options.onNothing something other than a file was dropped or pasted
 * @param {(isOver: boolean) => void} options.onDrag a file entered the page (true) or left it
 */
export function onPick({ inputs, formats, onPhotos, onNothing, onDrag }) {
  for (const input of inputs) {
    input.addEventListener('change', () => {
      const files = [...(input.files ?? [])];
      // Empty the input, so that choosing the same photo again fires another event.
      input.value = '';
      submit(files);
    });
  }

  addEventListener('dragover', (event) => {
    event.preventDefault();
    if (event.dataTransfer) event.dataTransfer.dropEffect = 'copy';
    onDrag(true);
  });
  addEventListener('dragleave', (event) => {
    // Moving between elements also fires this event; only leaving the window has no related target.
    if (event.relatedTarget === null) onDrag(false);
  });
  addEventListener('drop', (event) => {
    event.preventDefault();
    onDrag(false);
    handleTransfer(event.dataTransfer);
  });

  addEventListener('paste', (event) => {
    if (event.target instanceof HTMLInputElement && event.target.type !== 'file') return;
    handleTransfer(event.clipboardData);
  });

  /** @param {DataTransfer | null} data */
  async function handleTransfer(data) {
    // The browser clears both after the event, so read them before the first await.
    const files = [...(data?.files ?? [])];
    const entries = [...(data?.items ?? [])].map((item) => item.webkitGetAsEntry?.() ?? null);
    const folders = entries.filter((entry) => entry?.isDirectory);
    if (folders.length === 0) return submit(files);
    const all = (await Promise.all(folders.map(filesIn))).flat();
    const loose = files.filter((_, index) => !entries[index]?.isDirectory);
    const pictures = all.filter((file) => looksLikePicture(file, formats()));
    submit([...loose, ...pictures], all.length - pictures.length);
  }

  /**
   * @param {File[]} files
   * @param {number} others
   */
  function submit(files, others = 0) {
    const beyond = Math.max(0, files.length - MAX_FILES);
    if (files.length === 0 && others === 0) onNothing();
    else onPhotos(files.slice(0, MAX_FILES), { others, beyond, limit: MAX_FILES });
  }
}

/**
 * Returns the files in a folder and its subfolders, sorted by name. Checks `isFile` and `isDirectory` because not every
 * browser exposes the classes of entries.
 *
 * @param {FileSystemEntry | null} entry
 * @returns {Promise<File[]>}
 */
async function filesIn(entry) {
  if (entry?.isFile) {
    const { file } = /** @type {FileSystemFileEntry} */ (entry);
    return new Promise((resolve) =>
      file.call(
        entry,
        (each) => resolve([each]),
        () => resolve([]),
      ),
    );
  }
  if (!entry?.isDirectory) return [];
  const reader = /** @type {FileSystemDirectoryEntry} */ (entry).createReader();
  /** @type {FileSystemEntry[]} */
  const entries = [];
  for (;;) {
    // Browsers return a limited number per call, and none at the end.
    /** @type {FileSystemEntry[]} */
    const some = await new Promise((resolve) => reader.readEntries(resolve, () => resolve([])));
    if (some.length === 0) break;
    entries.push(...some);
  }
  entries.sort((a, b) => a.name.localeCompare(b.name, undefined, { numeric: true }));
  return (await Promise.all(entries.map(filesIn))).flat();
}
