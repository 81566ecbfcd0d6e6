// Facts about one task that the lists do not hold, each read when it is first needed and again when the task has
// changed.

/**
 * @param {function(string): Promise<*>} read  reads the fact about a task by its id
 * @param {function()} changed  called when there is an answer
 */
export function lookup(read, changed) {
  const state = {
    /** The answer, or null while there is none. */
    value: null,
    /** Why there is none. @type {?Error} */
    error: null,
    update,
    retry,
  };
  let asked = { id: null, version: null };

  /** Asks about the task unless that was done already. An older answer about the same task stands until the new one. */
  function update(id, version) {
    if (id === asked.id && version === asked.version) return;
    if (id !== asked.id) state.value = null;
    asked = { id, version };
    ask(asked);
  }

  function ask(question) {
    state.error = null;
    const settle = (facts) => {
      if (question !== asked) return; // overtaken by a question about another task
      Object.assign(state, facts);
      changed();
    };
    read(question.id).then(
      (value) => settle({ value }),
      (error) => settle({ error }),
    );
  }

  function retry() {
    ask(asked);
    changed();
  }

  return state;
}

/** What a fact depends on: while this stays the same, so does the fact. */
export const version = (task) => `${task.status} ${task.last_updated}`;
