/** The ways in which photos reach the page: chosen, taken with the camera, dropped anywhere, folders too, or pasted. */

import { looksLikePicture } from './formats.js';

/** More than this at a time is cut off: a folder dropped by mistake should not keep a phone busy for an hour. */
const MOST = 500;

/**
 * @param {object} options
 * @param {readonly HTMLInputElement[]} options.inputs
 * @param {(files: File[], left: { others: number, beyond: number }) => void} options.onPhotos `left`: how many files
 *   of folders were no pictures, and how many pictures were more than are taken at a time
 * @param {() => void} options.onNothing something was dropped or pasted, but no file
 * @param {(over: boolean) => void} options.onDrag a file hovers over the page, or no longer
 */
export function onPick({ inputs, onPhotos, onNothing, onDrag }) {
  for (const input of inputs) {
    input.addEventListener('change', () => {
      const files = [...(input.files ?? [])];
      // Emptied, so that choosing the same photo again is a change too.
      input.value = '';
      hand(files);
    });
  }

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
  async function take(data) {
    // Both must be asked for before the event is over.
    const files = [...(data?.files ?? [])];
    const entries = [...(data?.items ?? [])].map((item) => item.webkitGetAsEntry?.() ?? null);
    const folders = entries.filter((entry) => entry?.isDirectory);
    if (folders.length === 0) return hand(files);
    const all = (await Promise.all(folders.map(filesIn))).flat();
    const loose = files.filter((_, index) => !entries[index]?.isDirectory);
    const pictures = all.filter(looksLikePicture);
    hand([...loose, ...pictures], all.length - pictures.length);
  }

  /**
   * @param {File[]} files
   * @param {number} others
   */
  function hand(files, others = 0) {
    if (files.length === 0 && others === 0) onNothing();
    else onPhotos(files.slice(0, MOST), { others, beyond: Math.max(0, files.length - MOST) });
  }
}

/**
 * The files in a folder and in those inside it, by name. Not every browser has names for the classes of entries.
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
    // A hundred at a time, until there are none.
    /** @type {FileSystemEntry[]} */
    const some = await new Promise((resolve) => reader.readEntries(resolve, () => resolve([])));
    if (some.length === 0) break;
    entries.push(...some);
  }
  entries.sort((a, b) => a.name.localeCompare(b.name, undefined, { numeric: true }));
  return (await Promise.all(entries.map(filesIn))).flat();
}
