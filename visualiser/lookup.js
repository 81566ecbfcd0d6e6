// What is asked of the daemon beyond what the store knows: read when it is first needed, and again when the question or
// the world has changed.

/**
 * @param {function(*, AbortSignal): Promise<*>} read  answers a question; aborted when another one comes between
 * @param {function()} changed  called when there is an answer, or word that there is none
 * @param {{keep: boolean}} options  keep: the answer to the last question stands until there is one to the next
 */
export function lookup(read, changed, { keep = false } = {}) {
  const state = {
    /** The answer, or null while there is none. */
    value: null,
    /** The question that `value` answers. */
    answered: null,
    /** Why the last attempt failed. @type {?Error} */
    error: null,
    /** Whether `value` is not the answer to the present question. */
    get stale() {
      return state.value !== null && state.answered !== asked?.question;
    },
    update,
    retry,
  };
  let asked = null;
  let underWay = null;
  let stop = new AbortController();

  /**
   * Asks, unless that was done already.
   * @param {*} question  JSON-able
   * @param {*} version  what the answer depends on besides: while both stay the same, so does the answer
   */
  function update(question, version) {
    const key = JSON.stringify(question);
    if (key === asked?.key && version === asked.version) return;
    if (key !== asked?.key && !keep) state.value = null;
    const same = key === asked?.key;
    asked = { key, question: same ? asked.question : question, version };
    // While the same question is under way, it is asked again after its end: never twice at a time.
    if (underWay?.key !== key) ask();
  }

  function ask() {
    stop.abort();
    stop = new AbortController();
    const attempt = (underWay = asked);
    const settle = (facts) => {
      if (attempt !== underWay) return; // overtaken by another question
      underWay = null;
      Object.assign(state, facts);
      if (asked.version !== attempt.version) ask();
      changed();
    };
    read(attempt.question, stop.signal).then(
      (value) => settle({ value, answered: attempt.question, error: null }),
      (error) => settle({ error }),
    );
  }

  function retry() {
    state.error = null;
    ask();
    changed();
  }

  return state;
}
