/** Markup in templates, without a build. */

import htm from "../vendor/htm.js";
import { Component, h } from "../vendor/preact.js";

/** @type {(strings: TemplateStringsArray, ...values: any[]) => any} */
export const html = htm.bind(h);

/**
 * A view that is drawn again only where one of its properties is another.
 * @param {(properties: any) => any} view
 */
export function steady(view) {
  return class extends Component {
    /** @param {Record<string, unknown>} next */
    shouldComponentUpdate(next) {
      const before = /** @type {Record<string, unknown>} */ (this.props);
      return Object.keys(next).some((name) => next[name] !== before[name]);
    }

    render() {
      return view(this.props);
    }
  };
}
