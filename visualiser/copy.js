// Copying to the clipboard.

import { button, el } from "./dom.js";
import { tell, warn } from "./notices.js";

/**
 * A button that puts something on the clipboard, and says so.
 * @param {string} words  on the button; `what` is copied, at the beginning of a sentence
 */
export function offerCopy(words, what, attributes = {}) {
  const node = button(words, press, { class: "button quiet small", ...attributes });
  let content = "";

  async function press() {
    try {
      await copy(content);
      tell(`${what} is copied.`);
    } catch (error) {
      warn(`${what} could not be copied: ${error.message}.`);
    }
  }

  return {
    node,
    /** @param {string} wanted  what is to be copied */
    update(wanted) {
      content = wanted;
    },
  };
}

/** Puts text on the clipboard; works on plain HTTP too, where browsers withhold the clipboard interface. */
export async function copy(content) {
  if (navigator.clipboard) return navigator.clipboard.writeText(content);
  const box = el("textarea", { class: "offscreen" });
  box.value = content;
  document.body.append(box);
  box.select();
  const copied = document.execCommand("copy");
  box.remove();
  if (!copied) throw new Error("the browser refused");
}
