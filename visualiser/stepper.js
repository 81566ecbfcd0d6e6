// A whole number with − and +, taken over by "Set": the number a person is typing is never overwritten by a refresh.

import { permit } from "./actions.js";
import { button, el } from "./dom.js";

/**
 * @param store  see store.js
 * @param {{label: string, least: number, method: string, set: function(number, number): Promise}} options
 *        label is the accessible name; method the call that it ends in; set is given the new number and the old one
 */
export function stepper(store, { label, least, method, set }) {
  let known = null;
  const input = el("input", {
    type: "number",
    min: least,
    step: 1,
    required: true,
    "aria-label": label,
    oninput: refresh,
  });
  const apply = el("button", { class: "button", "aria-label": `Set ${label}` }, "Set");
  const less = step(-1, "−", "Less");
  const more = step(1, "+", "More");
  const node = el("form", { class: "stepper", onsubmit: submit }, less, input, more, apply);

  function step(by, sign, word) {
    const move = () => {
      input.value = Math.max(least, (Number(input.value) || 0) + by);
      refresh();
    };
    return button(sign, move, { "aria-label": `${word}: ${label}` });
  }

  function refresh() {
    for (const control of [less, input, more]) permit(control, store, method);
    permit(apply, store, method, input.value === String(known));
  }

  async function submit(event) {
    event.preventDefault();
    permit(apply, store, method, true);
    await set(Number(input.value), known);
    input.value = known;
    refresh();
  }

  return {
    node,
    /** @param {number} value  the number as the daemon has it */
    update(value) {
      const untouched = known === null || input.value === String(known);
      known = value;
      if (untouched) input.value = value;
      refresh();
    },
  };
}
