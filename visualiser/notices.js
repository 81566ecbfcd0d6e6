// Telling and asking: short notices in the corner, and questions before what cannot be undone.

import { button, el } from "./dom.js";

const SHOWN_MS = 6_000;
const SHOWN_WITH_UNDO_MS = 12_000;
const MOST = 4;

/**
 * Tells that something was done; goes away by itself.
 * @param {string} message
 * @param {?function()} undo  takes it back, where that is possible
 */
export function tell(message, undo = null) {
  const notice = put(message, "status", "notice", undo);
  setTimeout(() => notice.remove(), undo ? SHOWN_WITH_UNDO_MS : SHOWN_MS);
}

/** Tells that something went wrong; stays until it is dismissed. */
export function warn(message) {
  put(message, "alert", "notice bad", null);
}

function put(message, role, classes, undo) {
  const corner = document.getElementById("notices");
  const end = (deed) => () => {
    notice.remove();
    deed?.();
  };
  const dismiss = button("×", end(), { class: "button quiet", "aria-label": "Dismiss" });
  const back = undo ? button("Undo", end(undo), { class: "button small" }) : null;
  const notice = el("div", { role, class: classes }, el("p", {}, message), back, dismiss);
  corner.append(notice);
  if (corner.children.length > MOST) corner.firstElementChild.remove();
  return notice;
}

/**
 * Asks a question and waits for the answer; Escape means no.
 * @param {{title: string, detail: string, yes: string}} question
 * @returns {Promise<boolean>}
 */
export async function ask({ title, detail, yes }) {
  const no = el("button", { class: "button", value: "no" }, "Cancel");
  const go = el("button", { class: "button danger", value: "yes" }, yes);
  const answers = el("form", { method: "dialog", class: "answers" }, no, go);
  return (await dialog({ title }, el("p", {}, detail), answers)) === "yes";
}

/**
 * Shows a window over the page until it is closed.
 * @param {{title: string, wide: ?boolean}} options
 * @param {...Node} content
 * @returns {Promise<string>} the value of the button in a form of method "dialog" that closed it, else empty
 */
export function dialog({ title, wide = false }, ...content) {
  const heading = el("h2", { id: "dialog-title" }, title);
  const node = el("dialog", { "aria-labelledby": "dialog-title", class: wide ? "wide" : null }, heading, ...content);
  document.body.append(node);
  node.showModal();
  return new Promise((resolve) =>
    node.addEventListener("close", () => {
      node.remove();
      resolve(node.returnValue);
    }),
  );
}
