"""What is measured: each function fills figures. PLAN has the sizes of a whole and of a quick run."""

import base64
import subprocess
import time

import stand
from stand import PROGRAMS

PLAN = {
    False: {"histories": [1_000, 10_000, 100_000, 1_000_000], "running": [0, 50, 200],
            "clients": [1, 4, 16, 32, 64], "rounds": 3, "seconds": 4, "commands": 30, "starts": 16,
            "jupyters": 20, "events": 400_000, "subscribers": 10_000, "rows": 100_000},
    True: {"histories": [1_000, 10_000], "running": [0, 5], "clients": [1, 32], "rounds": 2,
           "seconds": 1, "commands": 10, "starts": 4, "jupyters": 4, "events": 40_000,
           "subscribers": 1_000, "rows": 10_000},
}
READERS = 32
ROUTES = {"task": "/api/tasks/", "list": "/api/tasks?limit=50"}
PAGE = 50


class Run:
    """What the sections share."""

    def __init__(self, figures, directory, quick, only):
        self.figures = figures
        self.dir = directory
        self.plan = PLAN[quick]
        self.only = only

    def wants(self, section):
        return not self.only or section in self.only

    def program(self, name, *arguments):
        """Runs one of the C++ programs, which prints its figures as it goes."""
        lines = self.dir / f"{name}.json"
        subprocess.run([PROGRAMS / "tests/bench" / name, *map(str, arguments), "--json", lines],
                       check=True)
        self.figures.read(lines)

    def note(self, name, unit, labels, rounds):
        self.figures.add(name, unit, labels, rounds)
        values = sorted(value for values in rounds for value in values)
        words = " ".join([name, *(f"{key}={value}" for key, value in labels.items())])
        print(f"{words:56} {values[len(values) // 2]:12.3f} {unit}"
              f"  ({values[0]:.3f} to {values[-1]:.3f})", flush=True)


def measure_starts(run):
    run.program("start_bench", "--only", "cold", "--rounds", run.plan["rounds"], "--starts",
                run.plan["starts"])


def measure_jupyter(run):
    run.program("start_bench", "--only", "jupyter", "--rounds", run.plan["rounds"], "--starts",
                run.plan["jupyters"])


def measure_warm(run):
    run.program("start_bench", "--only", "warm", "--rounds", run.plan["rounds"])


def measure_journal(run):
    run.program("journal_bench", "--dir", run.dir, "--rounds", run.plan["rounds"] + 2, "--rows",
                run.plan["rows"])


def measure_postgres(run):
    run.program("postgres_bench", "--events", run.plan["events"], "--rounds", run.plan["rounds"])


def measure_live(run):
    run.program("live_bench", "--subscribers", run.plan["subscribers"])


def measure_idle(run):
    """An agent that has nothing to do."""
    agent = stand.Agent(run.dir / "idle")
    try:
        agent.start()
        time.sleep(5)
        note_memory(run, agent, {"tasks": 0, "running": 0, "when": "idle"})
    finally:
        agent.stop()
        agent.remove_containers()


def note_memory(run, agent, labels):
    for name, value in agent.memory().items():
        run.note("memory", "MiB", {"of": name, **labels}, [[value]])


# --- an agent and the Express peer with a long history

def measure_history(run):
    history = stand.History(run.dir / "history", with_express=run.wants("reads"))
    try:
        for tasks in run.plan["histories"]:
            print(f"-- {tasks} tasks of history", flush=True)
            began = time.monotonic()
            history.grow(tasks)
            print(f"   written in {time.monotonic() - began:.0f} s", flush=True)
            if run.wants("startup"):
                measure_startup(run, history, {"running": 0})
            history.agent.start()
            history.read_files()
            if run.wants("reads"):
                compare_reads(run, history, READERS)
            if run.wants("pages"):
                measure_pages(run, history)
            if tasks == run.plan["histories"][-1]:
                measure_longest(run, history)
            history.agent.stop()
    finally:
        history.stop()


def measure_longest(run, history):
    """What else there is to ask of the longest history; the agent runs."""
    if run.wants("reads"):
        for clients in run.plan["clients"]:
            if clients != READERS:
                compare_reads(run, history, clients)
        compare_at_peak(run, history)
    if not any(run.wants(name) for name in ("list", "memory", "settle", "startup", "reads")):
        return
    for running in run.plan["running"]:
        print(f"-- {running} running containers", flush=True)
        history.agent.run_containers(running)
        labels = {"tasks": history.tasks, "running": running}
        if run.wants("list"):
            compare_commands(run, history.agent, running)
        # Beside none it was measured already, in turns with the peer.
        if run.wants("reads") and running:
            for route in ROUTES:
                note_load(run, {"route": route, "of": "agent", "clients": READERS, **labels},
                          [load(run, history, "agent", route, READERS)])
        if run.wants("memory"):
            note_memory(run, history.agent, {"when": "after load", **labels})
        if run.wants("settle"):
            measure_settling(run, history.agent, running)
        if run.wants("startup") and running:
            history.agent.stop()
            measure_startup(run, history, {"running": running})
            history.agent.start()
        if run.wants("memory"):
            history.agent.stop()
            history.agent.start()
            # Each sort of request once, and a sample of each container's use.
            for route in ("/api/tasks/" + history.id_at(history.tasks // 2), ROUTES["list"],
                          "/api/host", "/metrics"):
                history.agent.ask("GET", route)
            time.sleep(15)
            note_memory(run, history.agent, {"when": "at rest", **labels})


def measure_startup(run, history, labels):
    """From fork to the first answer, which is one task of the middle; the agent does not run."""
    target = "/api/tasks/" + history.id_at(history.tasks // 2)
    taken = []
    for _ in range(run.plan["rounds"] + 2):
        began = time.monotonic()
        history.agent.spawn()
        stand.await_true(lambda: history.agent.answers(target), "an answer", pause=0.0005)
        taken.append([(time.monotonic() - began) * 1e3])
        history.agent.stop()
    run.note("startup", "ms", {"tasks": history.tasks, **labels}, taken)


def load(run, history, of, route, clients, delay=0):
    peer = history.agent if of == "agent" else history.express
    pids = peer.pids()
    before = stand.cpu_seconds(pids)
    found = stand.wrk(peer.url, ROUTES[route], clients, run.plan["seconds"],
                      history.agent.dir / "tokens", history.ids if route == "task" else None, delay)
    taken = stand.cpu_seconds(pids) - before
    found["cpu"] = taken * 1e6 / (found["rate"] * run.plan["seconds"])
    return found


def note_load(run, labels, rounds):
    # The processors' time, of a database too, is what a busy machine disturbs least.
    for name, unit in (("rate", "/s"), ("p50", "ms"), ("p99", "ms"), ("cpu", "us"), ("bytes", "B")):
        run.note("load." + name, unit, labels, [[found[name]] for found in rounds])


def compare_reads(run, history, clients):
    """In turns, so that what else the machine does hits both."""
    for route in ROUTES:
        found = {"agent": [], "express": []}
        for _ in range(run.plan["rounds"]):
            for of, rounds in found.items():
                rounds.append(load(run, history, of, route, clients))
        for of, rounds in found.items():
            note_load(run, {"route": route, "of": of, "clients": clients, "tasks": history.tasks,
                            "running": 0}, rounds)


def compare_at_peak(run, history):
    """The agent's latencies at the rate that is the most that the peer reaches."""
    for route in ROUTES:
        found = run.figures.matching("load.rate", route=route, of="express", tasks=history.tasks)
        peak = max(found, key=lambda one: sorted(one["rounds"])[len(one["rounds"]) // 2])
        rate = sorted(peak["rounds"])[len(peak["rounds"]) // 2][0]
        clients = max(READERS, peak["labels"]["clients"])
        delay = max(1, round(clients / rate * 1e3))
        rounds = [load(run, history, "agent", route, clients, delay)
                  for _ in range(run.plan["rounds"])]
        note_load(run, {"route": route, "of": "agent", "at": "the peer's peak",
                        "tasks": history.tasks}, rounds)


def measure_pages(run, history):
    """The first page beside the 10,000th, or beside one in the middle of fewer."""
    page = min(10_000, history.tasks // PAGE // 2)
    last = history.id_at(history.tasks - (page - 1) * PAGE)
    cursor = base64.urlsafe_b64encode(b"1:" + last.encode()).rstrip(b"=").decode()
    paths = {1: ROUTES["list"], page: ROUTES["list"] + "&cursor=" + cursor}
    found = {number: [] for number in paths}
    for _ in range(run.plan["rounds"] + 2):
        for number, path in paths.items():
            found[number].append(stand.wrk(history.agent.url, path, 1, run.plan["seconds"],
                                           history.agent.dir / "tokens"))
    for number, rounds in found.items():
        labels = {"page": "first" if number == 1 else "deep", "number": number,
                  "tasks": history.tasks}
        run.note("page.rate", "/s", labels, [[one["rate"]] for one in rounds])
        run.note("page.p50", "ms", labels, [[one["p50"]] for one in rounds])


def compare_commands(run, agent, running):
    lines = run.dir / "commands.json"
    subprocess.run(
        [PROGRAMS / "tests/bench/command_bench", str(run.plan["commands"]), lines,
         PROGRAMS / "cli/resmgr", "--agent", f"unix://{agent.socket}", "list", "--versus",
         "docker", "ps", "--filter", f"label=io.resmgr.agent-id={agent.id}"], check=True)
    found = stand_figures(lines)
    for one in found:
        run.figures.add("command.list", "ms", {"of": one["labels"]["of"], "running": running},
                        one["rounds"])


def stand_figures(lines):
    import figures
    read = figures.Figures()
    read.read(lines)
    return read.all


def measure_settling(run, agent, running):
    """After kill -9: from fork until each container was looked at and its task is Running, beside the
    engine's own list and inspections."""
    taken = []
    for _ in range(run.plan["rounds"]):
        agent.kill9()
        began = time.monotonic()
        agent.spawn()
        stand.await_true(
            lambda: agent.metric('resmgr_engine_calls_total{operation="inspect"}') >= running
            and agent.metric('resmgr_tasks{status="Running"}') == running
            and agent.answers("/readyz"), "the agent's settling", pause=0.005)
        taken.append([(time.monotonic() - began) * 1e3])
        agent.kill9()
        agent.start()
        run.program("engine_bench", "--agent-id", agent.id, "--rounds", 1)
    raw = run.figures.matching("engine.list_and_inspect")[-run.plan["rounds"]:]
    run.note("settle", "ms", {"of": "agent", "running": running}, taken)
    run.note("settle", "ms", {"of": "engine", "running": running},
             [one["rounds"][0] for one in raw])


HISTORY = ("reads", "pages", "startup", "list", "memory", "settle")
SECTIONS = {"memory": measure_idle, "starts": measure_starts, "journal": measure_journal,
            "postgres": measure_postgres, "live": measure_live}
LAST = {"jupyter": measure_jupyter, "warm": measure_warm}
NAMES = sorted({*HISTORY, *SECTIONS, *LAST})


def measure(run):
    """All sections that are wanted; those that failed, with the reason."""
    failed = {}
    todo = [(name, act) for name, act in SECTIONS.items() if run.wants(name)]
    if any(run.wants(name) for name in HISTORY):
        todo.append(("history", measure_history))
    todo += [(name, act) for name, act in LAST.items() if run.wants(name)]
    for number, (name, act) in enumerate(todo, 1):
        print(f"== {number} of {len(todo)}: {name}", flush=True)
        began = time.monotonic()
        try:
            act(run)
        except (RuntimeError, OSError, subprocess.CalledProcessError) as failure:
            failed[name] = str(failure)
            print(f"!! {name}: {failure}", flush=True)
        print(f"   {time.monotonic() - began:.0f} s", flush=True)
    return failed
