// What a person can change, each with its call, its question where it cannot be undone, and what is told afterwards.

import { call } from "./api.js";
import { attribute, button, show } from "./dom.js";
import { amount, clip, counted, taskName, workerName } from "./format.js";
import { ask, tell, warn } from "./notices.js";

const NAME_LENGTH = 80;

/**
 * @param store  see store.js
 * @returns the actions; each resolves when the page shows its result, to whether it was done, and never rejects
 */
export function createActions(store) {
  async function act(purpose, deed, undo = null) {
    try {
      tell(await deed(), undo);
      return true;
    } catch (error) {
      warn(`Could not ${purpose}: ${error.message}.`);
      return false;
    } finally {
      await store.refresh();
    }
  }

  async function askAndAct(question, purpose, deed) {
    return (await ask(question)) && act(purpose, deed);
  }

  const actions = {
    forgive: (task) =>
      act(`forgive ${name(task)}`, async () => {
        expect((await call("forgive_failures", { task_id: task.id })).status, "PENDING");
        return `${name(task)} is forgiven and pending again.`;
      }),

    reEnable: (task) =>
      act(`re-enable ${name(task)}`, async () => {
        const after = await call("re_enable_task", { task_id: task.id });
        if (!after.status) throw new Error("it is no longer disabled by the scheduler");
        return `${name(task)} is re-enabled.`;
      }),

    markDone: (task) =>
      askAndAct(
        {
          title: "Mark as done?",
          detail:
            `${name(task)} will count as complete, whatever its output looks like, and what depends on it may run. ` +
            "This cannot be undone.",
          yes: "Mark as done",
        },
        `mark ${name(task)} as done`,
        async () => {
          expect((await call("mark_as_done", { task_id: task.id })).status, "DONE");
          return `${name(task)} is marked as done.`;
        },
      ),

    disableWorker: (worker) =>
      askAndAct(
        {
          title: "Disable this worker?",
          detail:
            `${workerName(worker)} will finish what it runs and get no more work. ` +
            "This cannot be undone: only a new worker takes its place.",
          yes: "Disable worker",
        },
        "disable the worker",
        async () => {
          await call("disable_worker", { worker: worker.name });
          return `${workerName(worker)} is disabled.`;
        },
      ),

    setProcesses: (worker, n, before) =>
      act(
        "set the number of processes",
        async () => {
          await call("set_worker_processes", { worker: worker.name, n });
          const wanted = counted(n, "process", "processes");
          return `${workerName(worker)} is asked to run ${wanted}; it changes when it reads the message.`;
        },
        before && (() => actions.setProcesses(worker, before)),
      ),

    setResource: (resource, total, before) =>
      act(
        "change the resource",
        async () => {
          const taken = await call("update_resource", { resource: resource.name, amount: total });
          if (!taken) throw new Error("the daemon refused the number");
          return `${clip(resource.name, NAME_LENGTH)} now has ${amount(total)}.`;
        },
        before !== undefined && (() => actions.setResource(resource, before)),
      ),

    /** What the daemon itself proposes: { call, arguments, label }; see explain.js. */
    perform(action) {
      const { task_id: id, worker, resource } = action.arguments;
      const about = { id: id ?? "", name: worker ?? id };
      if (action.call === "mark_as_done") return actions.markDone(about);
      if (action.call === "disable_worker") return actions.disableWorker(about);
      return act(`do that (${action.label})`, async () => {
        await call(action.call, action.arguments);
        return `Done: ${action.label}, ${clip(id ?? worker ?? resource ?? "all tasks", NAME_LENGTH)}.`;
      });
    },

    setPaused: (paused, undoable = true) =>
      act(
        paused ? "pause" : "resume",
        async () => {
          await call(paused ? "pause" : "unpause");
          return paused ? "Paused: no task is handed out until resumed." : "Resumed.";
        },
        undoable && (() => actions.setPaused(!paused, false)),
      ),
  };
  return actions;
}

const name = (task) => clip(taskName(task), NAME_LENGTH);

function expect(status, wanted) {
  if (status === null) throw new Error("the daemon no longer knows it");
  if (status !== wanted) throw new Error(`it is ${status} by now`);
}

/**
 * A button for one of the daemon's calls, and shown as out of reach to those whose role does not include it.
 * @param store  see store.js
 * @param {string} method  the call
 * @param {string} words
 * @param {function(*): Promise} deed  is given what update() was given; the button is off meanwhile
 */
export function callButton(store, method, words, deed, attributes = {}) {
  let busy = false;
  let subject = null;
  const node = button(words, press, attributes);

  async function press(event) {
    event.stopPropagation(); // a row around it has a click of its own
    busy = true;
    refresh();
    await deed(subject);
    busy = false;
    refresh();
  }

  function refresh() {
    permit(node, store, method, busy);
  }

  return {
    node,
    /** @param {*} about  what `deed` is to be given; null or false hides the button */
    update(about = true) {
      subject = about;
      show(node, about);
      refresh();
    },
  };
}

/** Turns a control on or off, and says why where it is the person's role. */
export function permit(node, store, method, off = false) {
  const allowed = store.may(method);
  attribute(node, "disabled", off || !allowed);
  attribute(node, "title", allowed ? null : `As a ${store.person.role} you may not do this`);
}
