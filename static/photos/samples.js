import { canReadCanvas } from './faithful.js';

/** Pixels of a sample photo. */
const WIDTH = 768;
const HEIGHT = 512;

/**
 * Offers drawings to visitors without a photo. The API accepts no SVG, so the browser renders each drawing as a PNG.
 * A browser that cannot gets no drawings.
 *
 * @param {HTMLElement} samples contains one button per drawing
 * @param {(file: File) => void} onSample
 */
export function onSample(samples, onSample) {
  samples.hidden = !canReadCanvas();
  samples.addEventListener('click', async ({ target }) => {
    const button = target instanceof Element ? target.closest('button') : null;
    const drawing = button?.querySelector('img');
    if (!button || !drawing) return;
    await drawing.decode();
    onSample(await toPng(drawing, `${button.textContent?.trim()}.png`));
  });
}

/**
 * @param {HTMLImageElement} drawing
 * @param {string} name
 * @returns {Promise<File>}
 */
function toPng(drawing, name) {
  const canvas = document.createElement('canvas');
  canvas.width = WIDTH;
  canvas.height = HEIGHT;
  canvas.getContext('2d')?.drawImage(drawing, 0, 0, WIDTH, HEIGHT);
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => {
      if (blob) resolve(new File([blob], name, { type: blob.type }));
      else reject(new TypeError('no PNG'));
    });
  });
}
