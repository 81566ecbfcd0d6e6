// A view whose code is fetched when it is first shown: most people never open it.

import { el, fill, text } from "./dom.js";

/**
 * @param {string} name  what it is called, for people
 * @param {function(): Promise<{node: Element, update: function(Object)}>} load  fetches and makes the view
 */
export function lazyView(name, load) {
  const words = el("p", { class: "empty", role: "status" });
  const node = el("div", {}, words);
  let view = null;
  let asked = false;
  let route = null;

  async function fetchOnce() {
    if (asked) return;
    asked = true;
    text(words, `Loading the ${name}`);
    try {
      view = await load();
      fill(node, view.node);
      view.update(route);
    } catch (error) {
      text(words, `The ${name} could not be loaded: ${error.message}. Reload the page to try again.`);
    }
  }

  return {
    node,
    update(wanted) {
      route = wanted;
      if (view) view.update(route);
      else fetchOnce();
    },
  };
}
