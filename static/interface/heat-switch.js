/**
 * Creates the switch for heat maps. With it on, a photo is sent for its map at once; those sent earlier are reported
 * only as they scroll into view, so that no request is spent on a map that nobody sees.
 *
 * @param {object} parts
 * @param {HTMLElement} parts.tool contains the switch and the legend
 * @param {HTMLInputElement} parts.input
 * @param {(card: Element) => void} parts.onView a watched card is in view and the switch is on
 */
export function createHeatSwitch({ tool, input, onView }) {
  /** @type {readonly Element[]} */
  let watched = [];
  const observer = new IntersectionObserver((entries) => {
    for (const { isIntersecting, target } of entries) if (isIntersecting && input.checked) onView(target);
  });

  /** @param {readonly Element[]} cards */
  function watch(cards) {
    watched = cards;
    observer.disconnect();
    if (input.checked) for (const card of cards) observer.observe(card);
  }

  input.addEventListener('change', () => {
    document.body.toggleAttribute('data-heat', input.checked);
    watch(watched);
  });

  return {
    /** Shows the switch, for a model that has heat maps. */
    show() {
      tool.hidden = false;
    },
    isOn: () => input.checked,
    watch,
  };
}
