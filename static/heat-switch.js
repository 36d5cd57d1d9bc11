/**
 * The switch that lays heat maps over the photos. A photo sent while it is on brings its map along; of those that were
 * sent before, only what comes into view is asked about again: nobody pays, in bytes and in what the service allows a
 * minute, for maps that nobody looks at.
 */

/** @import { Album, Photo } from './album.js' */

/**
 * @param {object} parts
 * @param {HTMLElement} parts.tool what holds switch and legend
 * @param {HTMLInputElement} parts.input
 */
export function createHeatSwitch({ tool, input }) {
  /** @type {Album | undefined} */
  let album;
  const inView = new IntersectionObserver((entries) => {
    for (const { isIntersecting, target } of entries) {
      const photo = isIntersecting && album?.photos.find(({ card }) => card.element === target);
      if (photo) ask(photo);
    }
  });

  /** @param {Photo} photo */
  function ask(photo) {
    if (!input.checked || !photo.answer || photo.answer.heatmap !== undefined) return;
    album?.askHeatmap(photo);
  }

  /** @param {readonly Photo[]} photos */
  function watch(photos) {
    inView.disconnect();
    if (input.checked) for (const { card } of photos) inView.observe(card.element);
  }

  input.addEventListener('change', () => {
    document.body.toggleAttribute('data-heat', input.checked);
    watch(album?.photos ?? []);
  });

  return {
    /** @param {Album} photos */
    of(photos) {
      album = photos;
    },
    /** The model offers heat maps. */
    offer() {
      tool.hidden = false;
    },
    isOn: () => input.checked,
    watch,
  };
}
