// A whole number with − and +, taken over by "Set": the number a person is typing is never overwritten by a refresh.

import { attribute, button, el } from "./dom.js";

/**
 * @param {{label: string, least: number, set: function(number): Promise}} options  label is the accessible name
 */
export function stepper({ label, least, set }) {
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
  const node = el(
    "form",
    { class: "stepper", onsubmit: submit },
    step(-1, "−", "Less"),
    input,
    step(1, "+", "More"),
    apply,
  );

  function step(by, sign, word) {
    const move = () => {
      input.value = Math.max(least, (Number(input.value) || 0) + by);
      refresh();
    };
    return button(sign, move, { "aria-label": `${word}: ${label}` });
  }

  function refresh() {
    attribute(apply, "disabled", input.value === String(known));
  }

  async function submit(event) {
    event.preventDefault();
    attribute(apply, "disabled", true);
    await set(Number(input.value));
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
