"""The rows of the report: what was measured, beside what is wanted of it."""

from figures import Measured, quantile

READERS = 32
RUNNING = 200
LONG = 1_000_000


def number(value, unit=""):
    if value is None:
        return "-"
    text = f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
    return f"{text} {unit}".strip()


def spread(measured, unit=""):
    if measured is None or len(measured.rounds) < 2:
        return ""
    return f"{number(measured.least)} to {number(measured.most, unit)}"


class Rows:
    """Rows as {section, what, target, measured, spread, verdict, note}."""

    def __init__(self, figures):
        self.figures = figures
        self.all = []

    def add(self, section, what, target, measured, unit="", limit=None, least=None, note=""):
        """`limit`: at most that; `least`: at least that; neither: for information."""
        if isinstance(measured, (int, float)):
            measured = Measured([[measured]])
        verdict = ""
        if measured is None:
            verdict = "not measured"
        elif limit is not None:
            verdict = "met" if measured.value <= limit else "missed"
        elif least is not None:
            verdict = "met" if measured.value >= least else "missed"
        self.all.append({
            "section": section, "what": what, "target": target,
            "measured": number(measured.value, unit) if measured else "-",
            "value": measured.value if measured else None,
            "limit": limit, "least": least,
            "spread": spread(measured, unit), "verdict": verdict, "note": note})


def rows_of(figures):
    rows = Rows(figures)
    for add in (warm, starts, jupyter, reads, pages, memory, startup, settle, commands, journal,
                postgres, live):
        add(rows, figures)
    return rows.all


def longest(figures, name, **labels):
    """How long the longest history was of which there is such a figure."""
    return max((one["labels"]["tasks"] for one in figures.matching(name, **labels)), default=LONG)


def most_running(figures, name, **labels):
    return max((one["labels"]["running"] for one in figures.matching(name, **labels)),
               default=RUNNING)


def thousands(count):
    return f"{count:,}"


def warm(rows, figures):
    burst = figures.values("warm.burst")
    for q, limit in ((0.5, 20), (0.99, 100)):
        rows.add("warm", f"warm start to ready, a burst of 10 Jupyters out of 10, p{q * 100:.0f}",
                 f"<= {limit} ms", quantile(burst, q) if burst else None, "ms", limit=limit)
    paced = figures.values("warm.paced")
    refill = figures.measured("warm.refill")
    at = f" ({refill.value / 2:.2g} starts a second)" if refill else ""
    rows.add("warm", f"… at half the rate of refilling{at}, p99", "",
             quantile(paced, 0.99) if paced else None, "ms")
    rows.add("warm", "… at that rate, share that was warm", "", figures.measured("warm.hit_rate"))


def starts(rows, figures):
    commits, fsync = figures.measured("start.commits"), figures.measured("start.fsync")
    waits = (f"{number(commits.value)} commits, each with an fsync of {number(fsync.value, 'ms')} "
             "here" if commits and fsync else "")
    rows.add("starts", "cold POST /api/tasks: wall time less the engine's calls", "<= 4 ms",
             figures.measured("start.added", service="bare", at_once=1), "ms", limit=4, note=waits)
    rows.add("starts", "… 8 at once, concurrent_starts = 8", "<= 4 ms",
             figures.measured("start.added", service="bare", at_once=8, slots=8), "ms", limit=4)
    rows.add("starts", "… 8 at once, two a core: with what 4 of them wait for the others", "",
             figures.measured("start.added", service="bare", at_once=8, slots=None), "ms")
    for service, words in (("probed", "with the probe"), ("bare", "without a probe")):
        for at_once in (1, 8):
            labels = {"service": service, "at_once": at_once}
            rows.add("starts", f"… to raw create + start + inspect {words}, {at_once} at once",
                     "<= 1.03", figures.ratio(("start.wall", {"of": "agent", **labels}),
                                              ("start.wall", {"of": "raw", **labels})), limit=1.03)


def jupyter(rows, figures):
    found = figures.matching("start.whole", service="notebook", of="agent")
    at_once = found[-1]["labels"]["at_once"] if found else 20
    labels = {"service": "notebook", "at_once": at_once}
    for name, words in (("start.whole", "until all are ready"), ("start.wall", "each")):
        rows.add("jupyter", f"{at_once} Jupyters at once, cold, to raw, {words}", "<= 1.03",
                 figures.ratio((name, {"of": "agent", **labels}), (name, {"of": "raw", **labels})),
                 limit=1.03)


def reads(rows, figures):
    tasks = longest(figures, "load.rate", of="express")
    at = f"{READERS} clients, {thousands(tasks)} tasks, token verified"
    for route, words, times in (("task", f"GET /api/tasks/{{id}}, {at}", 6),
                                ("list", f"GET /api/tasks?limit=50, {at}", 5)):
        labels = {"route": route, "clients": READERS, "tasks": tasks, "running": 0}
        rates = figures.measured("load.rate", of="agent", **labels)
        theirs = figures.measured("load.rate", of="express", **labels)
        note = (f"{number(rates.value)}/s, Express {number(theirs.value)}/s"
                if rates and theirs else "")
        rows.add("reads", f"{words}: rate to Express", f">= {times}",
                 figures.ratio(("load.rate", {"of": "agent", **labels}),
                               ("load.rate", {"of": "express", **labels})),
                 least=times, note=note)
        ours, theirs = (figures.measured("load.cpu", of=of, **labels) for of in ("agent", "express"))
        rows.add("reads", "… processors' time a request: Express and its database to the agent", "",
                 figures.ratio(("load.cpu", {"of": "express", **labels}),
                               ("load.cpu", {"of": "agent", **labels})),
                 note=f"{number(ours.value, 'us')}, Express {number(theirs.value, 'us')}"
                 if ours and theirs else "")
    labels = {"route": "task", "clients": READERS, "tasks": tasks, "running": 0}
    theirs = figures.measured("load.p99", of="express", **labels)
    rows.add("reads", "GET /api/tasks/{id}, the same: p99", "<= 3 ms",
             figures.measured("load.p99", of="agent", **labels), "ms", limit=3,
             note=f"Express {number(theirs.value, 'ms')}" if theirs else "")
    peaks = figures.matching("load.rate", route="list", of="express", tasks=tasks)
    peak = max(peaks, key=lambda one: Measured(one["rounds"]).value) if peaks else None
    theirs = (figures.measured("load.p99", of="express", route="list", tasks=tasks,
                               clients=peak["labels"]["clients"]) if peak else None)
    paced = {"at": "the peer's peak", "route": "list", "tasks": tasks}
    rate = figures.measured("load.rate", **paced)
    rows.add("reads", "GET /api/tasks?limit=50 at the most that Express reaches: p99",
             f"< {number(theirs.value, 'ms')}, Express's" if theirs else "< Express's",
             figures.measured("load.p99", **paced), "ms", limit=theirs.value if theirs else 0,
             note=f"at {number(rate.value)}/s; Express's most is "
                  f"{number(Measured(peak['rounds']).value)}/s" if rate and peak else "")


def pages(rows, figures):
    tasks = longest(figures, "page.rate")
    deep = figures.matching("page.rate", page="deep", tasks=tasks)
    page = thousands(deep[-1]["labels"]["number"]) if deep else "10,000"
    # Time is the rate's other side: one client waits for each answer.
    rows.add("pages", f"page {page} of 50 to the first, {thousands(tasks)} tasks", "<= 1.2",
             figures.ratio(("page.rate", {"page": "first", "tasks": tasks}),
                           ("page.rate", {"page": "deep", "tasks": tasks})), limit=1.2)


def memory(rows, figures):
    tasks = longest(figures, "memory", when="at rest")
    running = most_running(figures, "memory", when="at rest")
    both = f"{thousands(tasks)} tasks and {running} running"
    for what, labels, limit in (
            ("idle", {"when": "idle"}, 6),
            (both, {"when": "at rest", "tasks": tasks, "running": running}, 20),
            (f"{both}, after the load", {"when": "after load", "tasks": tasks, "running": running},
             20)):
        whole = figures.measured("memory", of="VmRSS", **labels)
        rows.add("memory", f"RssAnon, {what}", f"<= {limit} MiB",
                 figures.measured("memory", of="RssAnon", **labels), "MiB", limit=limit,
                 note=f"RSS {number(whole.value, 'MiB')}" if whole else "")


def startup(rows, figures):
    tasks = longest(figures, "startup")
    rows.add("startup", f"agent start to the first answer, {thousands(tasks)} tasks", "<= 50 ms",
             figures.measured("startup", tasks=tasks, running=0), "ms", limit=50)


def settle(rows, figures):
    running = most_running(figures, "settle", of="agent")
    raw = figures.measured("settle", of="engine", running=running)
    limit = raw.value + 200 if raw else 0
    rows.add("settle", f"after kill -9 with {running} running: start to settled",
             f"<= {number(raw.value if raw else None, 'ms')} + 200 ms",
             figures.measured("settle", of="agent", running=running), "ms", limit=limit,
             note="the engine's own list and inspections, + 200 ms")


def commands(rows, figures):
    counts = sorted({one["labels"]["running"] for one in figures.matching("command.list")})
    for running in counts or [0, RUNNING]:
        ours = figures.measured("command.list", of="ours", running=running)
        theirs = figures.measured("command.list", of="theirs", running=running)
        rows.add("list", f"resmgr list to docker ps, {running} running", "<= 0.35",
                 figures.ratio(("command.list", {"of": "ours", "running": running}),
                               ("command.list", {"of": "theirs", "running": running})), limit=0.35,
                 note=f"{number(ours.value, 'ms')}, docker ps {number(theirs.value, 'ms')}"
                 if ours and theirs else "")


def journal(rows, figures):
    what = "commits of 16 writers"
    ours = figures.measured("journal", what=what, of="journal")
    # The best that plain SQLite does with as many rows as the writers are, in one commit.
    bare = figures.measured("journal", what=what, of="bare")
    rows.add("journal", "journal commits of 16 writers to plain SQLite, grouped", ">= 0.9",
             figures.ratio(("journal", {"what": what, "of": "journal"}),
                           ("journal", {"what": what, "of": "bare"})), least=0.9,
             note=f"{number(ours.value)}/s, SQLite {number(bare.value)}/s" if ours and bare else "")


def postgres(rows, figures):
    ours, copy = (figures.measured("postgres.rows", of=of) for of in ("pump", "copy"))
    rows.add("postgres", "backlog for PostgreSQL to plain COPY of the same rows", ">= 0.8",
             figures.ratio(("postgres.rows", {"of": "pump"}), ("postgres.rows", {"of": "copy"})),
             least=0.8, note=f"{number(ours.value)} rows/s, COPY {number(copy.value)}"
             if ours and copy else "")


def live(rows, figures):
    found = figures.matching("live.to_the_last")
    count = thousands(found[-1]["labels"]["subscribers"]) if found else "10,000"
    taken = figures.values("live.to_the_last")
    rows.add("live", f"a live event to the last of {count} subscribers, median", "<= 300 ms",
             figures.measured("live.to_the_last"), "ms", limit=300,
             note=f"at worst {number(max(taken), 'ms')}" if taken else "")
    rows.add("live", f"memory of each of {count} subscribers", "<= 10 KiB",
             figures.measured("live.memory"), "KiB", limit=10)
