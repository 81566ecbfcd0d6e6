// A part of the page whose code is fetched when it is first shown: most people never open most of it.

import { el, fill, text } from "./dom.js";

/**
 * @param {string} name  what it is called, for people
 * @param {function(): Promise<{node: Element, update: function(*), leave: ?function()}>} load  fetches and makes it
 */
export function lazyPart(name, load) {
  const words = el("p", { class: "empty", role: "status" });
  const node = el("div", {}, words);
  let part = null;
  let asked = false;
  let facts = null;

  async function fetchOnce() {
    if (asked) return;
    asked = true;
    text(words, `Loading ${name}`);
    try {
      part = await load();
      fill(node, part.node);
      if (facts !== null) part.update(facts);
    } catch (error) {
      text(words, `Could not load ${name}: ${error.message}. Reload the page to try again.`);
    }
  }

  return {
    node,
    /** Fetches it ahead of its first update(). */
    prepare: fetchOnce,
    update(wanted) {
      facts = wanted;
      if (part) part.update(facts);
      else fetchOnce();
    },
    /** Called when it is no longer shown. */
    leave() {
      part?.leave?.();
    },
  };
}
