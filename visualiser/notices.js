// Telling and asking: short notices in the corner, and questions before what cannot be undone.

import { button, el } from "./dom.js";

const SHOWN_MS = 6_000;
const MOST = 4;

/** Tells that something was done; goes away by itself. */
export function tell(message) {
  const notice = put(message, "status", "notice");
  setTimeout(() => notice.remove(), SHOWN_MS);
}

/** Tells that something went wrong; stays until it is dismissed. */
export function warn(message) {
  put(message, "alert", "notice bad");
}

function put(message, role, classes) {
  const corner = document.getElementById("notices");
  const dismiss = button("×", () => notice.remove(), { class: "button quiet", "aria-label": "Dismiss" });
  const notice = el("div", { role, class: classes }, el("p", {}, message), dismiss);
  corner.append(notice);
  if (corner.children.length > MOST) corner.firstElementChild.remove();
  return notice;
}

/**
 * Asks a question and waits for the answer; Escape means no.
 * @param {{title: string, detail: string, yes: string}} question
 * @returns {Promise<boolean>}
 */
export function ask({ title, detail, yes }) {
  const heading = el("h2", { id: "question" }, title);
  const no = el("button", { class: "button", value: "no" }, "Cancel");
  const answers = el(
    "form",
    { method: "dialog", class: "answers" },
    no,
    el("button", { class: "button danger", value: "yes" }, yes),
  );
  const dialog = el("dialog", { "aria-labelledby": "question" }, heading, el("p", {}, detail), answers);
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) =>
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "yes");
    }),
  );
}
