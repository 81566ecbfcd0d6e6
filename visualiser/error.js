// What a task failed with, and the command that runs it again: in the panel, and in a window of its own.

import { call, lookup } from "./api.js";
import { offerCopy } from "./copy.js";
import { button, el, failureNote, show, text } from "./dom.js";
import { clip, command, plain, taskName } from "./format.js";
import { dialog } from "./notices.js";

const LONGEST = 20_000;
const LONGEST_IN_WINDOW = 1_000_000;
const NAME_LENGTH = 120;

/** @param context  see app.js */
export function errorPart({ update }) {
  const error = lookup(({ id }, signal) => call("fetch_error", { task_id: id }, signal), update);
  const trace = el("pre", { class: "trace", tabindex: "0", role: "region", "aria-label": "Error" });
  const again = el("pre", { class: "command", tabindex: "0", role: "region", "aria-label": "Command to run it again" });
  const copyTrace = offerCopy("Copy error", "The error");
  const copyCommand = offerCopy("Copy command", "The command");
  const enlarge = button("Enlarge", () => showWindow(trouble), { class: "button quiet small" });
  const heading = el("h3", {}, "Error", copyTrace.node, enlarge);
  const found = el("div", {}, trace, el("h3", {}, "Run it again", copyCommand.node), again);
  const reading = failureNote(error);
  const node = el("section", {}, heading, found, reading.node);
  let trouble = null;

  return {
    node,
    update(task) {
      const wrong = task.status === "FAILED" || task.status === "DISABLED";
      show(node, wrong);
      if (!wrong) return;
      error.update({ id: task.id, last_updated: task.last_updated });
      reading.update();
      for (const part of [found, copyTrace.node, enlarge]) show(part, error.value);
      if (error.value) showError(task, error.value);
    },
  };

  function showError(task, reply) {
    trouble = { task, words: explanation(reply.error), command: command(reply) };
    text(trace, clip(trouble.words, LONGEST));
    text(again, clip(trouble.command, LONGEST));
    copyTrace.update(trouble.words);
    copyCommand.update(trouble.command);
  }
}

// Workers send the text of an error as JSON; whatever else it is, it is shown as it stands.
function explanation(error) {
  if (!error) return "The worker gave no explanation.";
  try {
    return plain(JSON.parse(error)).trimEnd();
  } catch {
    return plain(error);
  }
}

function showWindow({ task, words, command: again }) {
  const trace = el("pre", { class: "trace", tabindex: "0" }, clip(words, LONGEST_IN_WINDOW));
  const copyTrace = offerCopy("Copy error", "The error", { class: "button" });
  const copyCommand = offerCopy("Copy command to run it again", "The command", { class: "button" });
  copyTrace.update(words);
  copyCommand.update(again);
  const close = el("button", { class: "button primary", value: "" }, "Close");
  const answers = el("form", { method: "dialog", class: "answers" }, copyTrace.node, copyCommand.node, close);
  dialog({ title: `Error of ${clip(taskName(task), NAME_LENGTH)}`, wide: true }, trace, answers);
}
