// What a person can change, each with its call, its question where it cannot be undone, and what is told afterwards.

import { call } from "./api.js";
import { amount, clip, counted, taskName, workerName } from "./format.js";
import { ask, tell, warn } from "./notices.js";

const NAME_LENGTH = 80;

/**
 * @param {function(): Promise} refresh  reads the daemon's state again
 * @returns the actions; each resolves when the page shows its result, to whether it was done, and never rejects
 */
export function createActions(refresh) {
  async function act(purpose, deed) {
    try {
      tell(await deed());
      return true;
    } catch (error) {
      warn(`Could not ${purpose}: ${error.message}.`);
      return false;
    } finally {
      await refresh();
    }
  }

  return {
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

    async markDone(task) {
      const question = {
        title: "Mark as done?",
        detail:
          `${name(task)} will count as complete, whatever its output looks like, and what depends on it may run. ` +
          "This cannot be undone.",
        yes: "Mark as done",
      };
      if (!(await ask(question))) return false;
      return act(`mark ${name(task)} as done`, async () => {
        expect((await call("mark_as_done", { task_id: task.id })).status, "DONE");
        return `${name(task)} is marked as done.`;
      });
    },

    async disableWorker(worker) {
      const question = {
        title: "Disable this worker?",
        detail:
          `${workerName(worker)} will finish what it runs and get no more work. ` +
          "This cannot be undone: only a new worker takes its place.",
        yes: "Disable worker",
      };
      if (!(await ask(question))) return false;
      return act("disable the worker", async () => {
        await call("disable_worker", { worker: worker.name });
        return `${workerName(worker)} is disabled.`;
      });
    },

    setProcesses: (worker, n) =>
      act("set the number of processes", async () => {
        await call("set_worker_processes", { worker: worker.name, n });
        const wanted = counted(n, "process", "processes");
        return `${workerName(worker)} is asked to run ${wanted}; it changes when it reads the message.`;
      }),

    setResource: (resource, total) =>
      act("change the resource", async () => {
        const taken = await call("update_resource", { resource: resource.name, amount: total });
        if (!taken) throw new Error("the daemon refused the number");
        return `${clip(resource.name, NAME_LENGTH)} now has ${amount(total)}.`;
      }),

    setPaused: (paused) =>
      act(paused ? "pause" : "resume", async () => {
        await call(paused ? "pause" : "unpause");
        return paused ? "Paused: no task is handed out until resumed." : "Resumed.";
      }),
  };
}

const name = (task) => clip(taskName(task), NAME_LENGTH);

function expect(status, wanted) {
  if (status === null) throw new Error("the daemon no longer knows it");
  if (status !== wanted) throw new Error(`it is ${status} by now`);
}
