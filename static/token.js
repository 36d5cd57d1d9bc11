/** The token that a service may ask for: kept by this tab until it is closed, and sent to nobody else. */

import { ApiProblem } from './problem.js';

const KEY = 'token';

/**
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
    hint.textContent = isRefused
      ? 'The service does not take this token.'
      : token
        ? 'This tab has a token, until you close it.'
        : 'Ask whoever runs this service. The token stays in this tab until you close it.';
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
    /** The service asks for a token. */
    need() {
      isNeeded = true;
      show();
    },

    /** The service has answered 401. */
    refuse() {
      isNeeded = true;
      isRefused = token !== '';
      show();
    },

    /**
     * The token to send; undefined where the service wants none.
     *
     * @throws {ApiProblem} there is no use in asking without another token
     */
    get() {
      if (isNeeded && (isRefused || !token)) throw new ApiProblem({ code: 'unauthorized' });
      return token || undefined;
    },

    focus() {
      input.focus();
    },
  };
}
