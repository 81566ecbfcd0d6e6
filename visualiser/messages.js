// Talking to a running task: what one says goes to its worker, and the task may answer.

import { permit } from "./actions.js";
import { call } from "./api.js";
import { el, list, show, text } from "./dom.js";
import { clip, plain } from "./format.js";
import { warn } from "./notices.js";

const ANSWER_LENGTH = 20_000;
const POLL_MS = 1_000;

/** @param context  see app.js */
export function conversationPart({ store, update }) {
  const said = new Map(); // task id -> what was sent to it from here, with the answers
  let task = null;
  const input = el("input", { "aria-label": "Message to the task", placeholder: "Message", autocomplete: "off" });
  const send = el("button", { class: "button" }, "Send");
  const form = el("form", { class: "message-form", onsubmit: submit }, input, send);
  const log = el("ol", { class: "conversation", "aria-live": "polite" });
  const node = el("section", {}, el("h3", {}, "Talk to it"), log, form);

  async function submit(event) {
    event.preventDefault();
    const to = task;
    const entry = { content: input.value, answer: null };
    try {
      const reply = await call("send_scheduler_message", {
        worker: to.worker_running,
        task: to.id,
        content: entry.content,
      });
      entry.id = reply.message_id;
    } catch (error) {
      warn(`The message could not be sent: ${error.message}.`);
      return;
    }
    said.set(to.id, [...(said.get(to.id) ?? []), entry]);
    input.value = "";
    update();
    awaitAnswer(to.id, entry);
  }

  // For as long as the task is shown; the question is taken up again when it is shown the next time.
  async function awaitAnswer(id, entry) {
    entry.awaited = true;
    while (entry.answer === null && node.isConnected && !node.hidden && task.id === id) {
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      try {
        const { response } = await call("get_scheduler_message_response", { task_id: id, message_id: entry.id });
        entry.answer = response === null ? null : plain(response);
        entry.error = null;
      } catch (error) {
        entry.error = error;
      }
      update();
    }
    entry.awaited = false;
  }

  return {
    node,
    update(shown) {
      task = shown;
      const entries = said.get(task.id) ?? [];
      const open = task.accepts_messages && task.status === "RUNNING";
      show(node, open || entries.length);
      show(form, open);
      for (const control of [input, send]) permit(control, store, "send_scheduler_message");
      list(log, entries, ({ id }) => id, exchange);
      for (const entry of entries) if (open && entry.answer === null && !entry.awaited) awaitAnswer(task.id, entry);
    },
  };
}

function exchange({ content }) {
  const answer = el("p", { class: "answer" });
  return {
    node: el("li", {}, el("p", { class: "said" }, clip(content, ANSWER_LENGTH)), answer),
    update({ answer: words, error, awaited }) {
      answer.classList.toggle("muted", words === null);
      if (words !== null) text(answer, clip(words, ANSWER_LENGTH));
      else if (error) text(answer, `The answer could not be read: ${error.message}. It is asked for again.`);
      else text(answer, awaited ? "Waiting for the answer" : "No answer");
    },
  };
}
