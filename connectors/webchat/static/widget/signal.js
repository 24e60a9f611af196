/** Values that the views look at. Whenever one changes, whoever watches is told; a view looks at all of them again. */

/** @type {Set<() => void>} */
const watchers = new Set();

/** @param {() => void} watcher called after each change, until the page ends */
export function watch(watcher) {
  watchers.add(watcher);
}

/** @template T */
export class Signal {
  /** @param {T} value */
  constructor(value) {
    this._value = value;
  }

  get value() {
    return this._value;
  }

  set value(value) {
    if (value === this._value) return;
    this._value = value;
    for (const watcher of Array.from(watchers)) watcher();
  }
}

/** @template T @param {T} value @returns {Signal<T>} */
export function signal(value) {
  return new Signal(value);
}
