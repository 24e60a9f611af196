/** What forms say. */

/** What a form says, by the names of its fields; the browser does not send it. @param {SubmitEvent} event */
export function said(event) {
  event.preventDefault();
  return Object.fromEntries([...new FormData(/** @type {HTMLFormElement} */ (event.target))].map(([name, value]) => [name, String(value)]));
}
