"""Stock luigi's task history, in a process of its own, because it takes its database from the configuration.

    python -m tests.e2e.stock_history DB_CONNECTION < CALLS

CALLS is a JSON list of [method, arguments], made one after the other to a scheduler of stock's that records. Printed,
as JSON, is what its DbTaskHistory then finds by each of its methods.
"""

import json
import logging
import sys

from luigi import configuration, scheduler


def describe(run):
    """All that stock shows of a run; its events as it keeps them, the last one first."""
    return {
        "id": run.id,
        "task_id": run.task_id,
        "name": run.name,
        "host": run.host,
        "parameters": {name: parameter.value for name, parameter in run.parameters.items()},
        "events": [event.event_name for event in run.events],
    }


def findings(history):
    """What each way to look finds."""
    with history._session() as session:
        runs = history.find_all_runs(session)
        names = sorted({run.name for run in runs})
        task_ids = sorted({run.task_id for run in runs if run.task_id})
        some = {"x": "1"}
        return {
            "runs": [describe(run) for run in runs],
            "events": [[event.task_id, event.event_name, str(event.ts)] for event in history.find_all_events(session)],
            "latest": [run.id for run in history.find_latest_runs(session)],
            "by_id": {run.id: describe(history.find_task_by_id(run.id, session)) for run in runs},
            "by_task_id": {task_id: history.find_task_by_task_id(task_id, session).id for task_id in task_ids},
            "by_name": {name: [run.id for run in history.find_all_by_name(name, session)] for name in names},
            "by_x": {name: [r.id for r in history.find_all_by_parameters(name, session, **some)] for name in names},
        }


def main():
    logging.disable(logging.WARNING)
    configuration.get_config().set("task_history", "db_connection", sys.argv[1])
    stock = scheduler.Scheduler(record_task_history=True, retry_delay=0)
    for method, arguments in json.load(sys.stdin):
        getattr(stock, method)(**arguments)
    json.dump(findings(stock.task_history), sys.stdout)


if __name__ == "__main__":
    main()
