"""The pipelines that the end-to-end tests run. The workers import it, those of luigi 2.8.13 too.

Every task writes one line to a common run log when it starts and one when it ends. The lines are appended by single
writes, so their order in the file is the order of the events: that is what the tests look at, never at a clock.
A task that has to be caught in the act waits for a gate (a file that the test creates) or until enough of its kind run.
"""

import json
import os
import queue
import time

import luigi
from luigi.task import flatten

#: Where outputs, gates and the run log live, and who runs the task: given by the test to each of its workers.
DIRECTORY = os.environ.get("E2E_DIRECTORY", "")
WORKER = os.environ.get("E2E_WORKER", "")

#: Seconds after which a waiting task fails, so that a broken daemon leaves no process behind.
DEADLINE = 60


def path(name):
    return os.path.join(DIRECTORY, name)


def record(event, task):
    line = json.dumps({"event": event, "family": task.task_family, "task": str(task), "worker": WORKER}) + "\n"
    descriptor = os.open(path("runs.log"), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(descriptor, line.encode("utf-8"))
    finally:
        os.close(descriptor)


def records():
    with open(path("runs.log"), "r") as lines:
        return [json.loads(line) for line in lines]


def starts(**wanted):
    """How many starts the run log has with these values, as in `starts(family="Diamond")`."""
    wanted["event"] = "start"
    return sum(all(found[name] == value for name, value in wanted.items()) for found in records())


def wait_for(condition, what):
    give_up = time.time() + DEADLINE
    while not condition():
        if time.time() > give_up:
            raise RuntimeError("waited in vain for " + what)
        time.sleep(0.02)


def wait_for_gate(name):
    wait_for(lambda: os.path.exists(path("gate-" + name)), "the gate " + name)


class Recorded(luigi.Task):
    """A task that leaves its traces in the run log, and whose output exists when it has ended."""

    #: The gate to wait for, none by default.
    gate = luigi.Parameter(default="", significant=False)
    #: How many of this family must have started before any of them ends.
    meet = luigi.IntParameter(default=1, significant=False)
    #: How many times to fail before it succeeds.
    failures = luigi.IntParameter(default=0, significant=False)

    def output(self):
        return luigi.LocalTarget(path(self.task_id))

    def work(self):
        wait_for(lambda: starts(family=self.task_family) >= self.meet, "%d of %s" % (self.meet, self.task_family))
        if self.gate:
            wait_for_gate(self.gate)
        if starts(task=str(self)) <= self.failures:
            raise RuntimeError("failed as told")

    def finish(self):
        for target in flatten(self.output()):
            with target.open("w"):
                pass
        record("end", self)

    def run(self):
        record("start", self)
        self.work()
        self.finish()


# Shapes ---------------------------------------------------------------------------------------------------------------


class DiamondTop(Recorded):
    pass


class DiamondSide(Recorded):
    number = luigi.IntParameter()

    def requires(self):
        return DiamondTop(gate=self.gate)


class Diamond(Recorded):
    """One task, which `gate` holds back, `width` that need it, of which `sides_meet` meet, and one that needs them."""

    width = luigi.IntParameter(default=4)
    sides_meet = luigi.IntParameter(default=1, significant=False)

    def requires(self):
        return [DiamondSide(number=number, gate=self.gate, meet=self.sides_meet) for number in range(self.width)]


class Part(Recorded):
    number = luigi.IntParameter()


class Dynamic(Recorded):
    """Learns while it runs what it needs: three parts first, then one more that is named after how many there were."""

    def run(self):
        record("start", self)
        targets = yield [Part(number=number) for number in range(3)]
        yield Part(number=100 + len(targets))
        self.finish()


class LateClaim(Recorded):
    """The worker named "late" finds it incomplete, and takes until the gate opens to say so."""

    def complete(self):
        found = super().complete()
        if WORKER == "late" and not found:
            record("found incomplete", self)
            wait_for_gate("claim")
        return found


class Groundwork(Recorded):
    pass


class Ranked(Recorded):
    priority = luigi.IntParameter()


class Grounded(Ranked):
    def requires(self):
        return Groundwork()


class RankedAll(luigi.WrapperTask):
    """What the urgent one needs is first asked for by one that is not: at either end, as luigi may begin with any."""

    def requires(self):
        return [
            Grounded(priority=2),
            Ranked(priority=10),
            Ranked(priority=30),
            Grounded(priority=100),
            Ranked(priority=20),
            Grounded(priority=1),
        ]


# Failures -------------------------------------------------------------------------------------------------------------


class Flaky(Recorded):
    retry_count = luigi.IntParameter(default=1000, significant=False)


class Owned(Flaky):
    owner_email = "ann@example.com,bob@example.com"
    day = luigi.IntParameter()


class OwnedAll(luigi.WrapperTask):
    """Three tasks that fail for the same reason."""

    def requires(self):
        return [Owned(day=day, failures=1000) for day in range(3)]


class AfterFlaky(Flaky):
    """Never fails itself: `failures` and `retry_count` are for the task it needs."""

    def requires(self):
        return Flaky(failures=self.failures, retry_count=self.retry_count)

    def work(self):
        pass


class Long(Recorded):
    pass


class AfterLong(Recorded):
    def requires(self):
        return Long(gate=self.gate)


class Data(luigi.ExternalTask):
    def output(self):
        return luigi.LocalTarget(path("data"))


class AfterData(Recorded):
    def requires(self):
        return Data()


# Resources ------------------------------------------------------------------------------------------------------------


class Page(Recorded):
    owner = luigi.Parameter()
    number = luigi.IntParameter()
    resources = {"printer": 1}


class Pages(luigi.WrapperTask):
    owner = luigi.Parameter()
    count = luigi.IntParameter()
    gate = luigi.Parameter(default="", significant=False)

    def requires(self):
        return [Page(owner=self.owner, number=number, gate=self.gate) for number in range(self.count)]


class Shrinking(Recorded):
    """Holds all the memory, then half of it."""

    resources = {"memory": 2}
    priority = 10

    def work(self):
        wait_for_gate("shrink")
        self.decrease_running_resources({"memory": 1})
        wait_for_gate("finish")


class Small(Recorded):
    resources = {"memory": 1}


class ShrinkingAndSmall(luigi.WrapperTask):
    def requires(self):
        return [Shrinking(), Small()]


# Batches --------------------------------------------------------------------------------------------------------------


class LoadDay(Recorded):
    """Loading a day loads all the days before it."""

    table = luigi.Parameter()
    day = luigi.IntParameter(batch_method=max)

    def output(self):
        return luigi.LocalTarget(path("%s-%d" % (self.table, self.day)))

    def complete(self):
        return any(os.path.exists(path("%s-%d" % (self.table, day))) for day in range(self.day, 10))


class LoadDays(luigi.WrapperTask):
    """Three days of two tables."""

    gate = luigi.Parameter(default="", significant=False)
    failures = luigi.IntParameter(default=0, significant=False)

    def requires(self):
        for table in ("orders", "visits"):
            for day in range(3):
                yield LoadDay(table=table, day=day, gate=self.gate, failures=self.failures)


class LoadNames(Recorded):
    """Loads a list of names at once, at most two."""

    names = luigi.Parameter(batch_method=",".join)
    max_batch_size = 2

    def output(self):
        return [luigi.LocalTarget(path("name-" + name)) for name in self.names.split(",")]


class LoadAllNames(luigi.WrapperTask):
    def requires(self):
        return [LoadNames(names=name) for name in ("ann", "bob", "cid", "dee", "eve")]


# Conversations --------------------------------------------------------------------------------------------------------


class Answering(Recorded):
    """Answers messages until it is told to stop."""

    accepts_messages = True

    def work(self):
        content = None
        while content != "stop":
            try:
                message = self.scheduler_messages.get(timeout=DEADLINE)
            except queue.Empty:
                raise RuntimeError("no message arrived")
            content = message.content
            message.respond("heard " + content)


class Reporting(Recorded):
    """Says how far it is, and stays there until the gate opens."""

    def work(self):
        self.set_tracking_url("http://tracker.invalid/42")
        self.set_status_message("half of it is done")
        self.set_progress_percentage(50)
        record("reported", self)
        wait_for_gate(self.gate)


class Crew(luigi.WrapperTask):
    """As many parts as `size`, none of which ends before all of them run."""

    size = luigi.IntParameter()

    def requires(self):
        return [Part(number=number, meet=self.size) for number in range(self.size)]
