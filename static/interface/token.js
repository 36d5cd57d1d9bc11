import { ApiProblem } from '../client/problem.js';
import { words } from '../words.js';

const KEY = 'token';

/**
 * Creates the field for the service's token. The token is kept until the tab closes and sent only to the service.
 *
 * @param {object} parts
 * @param {HTMLFormElement} parts.form
 * @param {HTMLInputElement} parts.input
 * @param {HTMLElement} parts.hint
 * @param {() => void} parts.onChange another token was entered
 */
export function createToken({ form, input, hint, onChange }) {
  let token = sessionStorage.getItem(KEY) ?? '';
  let isNeeded = false;
  let isRefused = false;

  function show() {
    form.hidden = !isNeeded;
    input.setAttribute('aria-invalid', String(isRefused));
    form.toggleAttribute('data-refused', isRefused);
    hint.textContent = isRefused ? words.tokenRefused : token ? words.tokenKept : words.tokenWanted;
  }

  form.addEventListener('submit', (event) => {
    event.preventDefault();
    token = input.value.trim();
    input.value = '';
    isRefused = false;
    if (token) sessionStorage.setItem(KEY, token);
    else sessionStorage.removeItem(KEY);
    show();
    onChange();
  });

  return {
    /** Shows the field, for a service that requires a token. */
    require() {
      isNeeded = true;
      show();
    },

    /** Marks the token as refused, after a 401. */
    refuse() {
      isNeeded = true;
      isRefused = token !== '';
      show();
    },

    /**
     * Returns the token to send; undefined if the service requires none.
     *
     * @throws {ApiProblem} no request can succeed without another token
     */
    get() {
      if (isNeeded && (isRefused || !token)) throw new ApiProblem({ code: 'unauthorized' });
      return token || undefined;
    },
  };
}
