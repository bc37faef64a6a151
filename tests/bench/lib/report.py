"""report.md, report.json and report.html of one run."""

import html
import json

import charts
from figures import Measured
from targets import READERS, number, spread

CAVEAT = ("Every ratio compares what was measured in this run, in turns. The load's clients and what "
          "serves them share the machine's cores. A value is the median of the rounds' medians; "
          "beside it stand the least and the greatest of these.")
FAIRNESS = ("Express verifies each token and answers one row; the agent remembers tokens that it "
            "verified, for as long as they are valid, and answers a task with its events, its use "
            "and its receipts. Both peers' files were read once before, so that they are in memory as "
            "far as there is room.")


def points(figures, name, step, **labels):
    """[(step, Measured)] of the figures that have these labels; the last of each step counts."""
    found = {one["labels"][step]: Measured(one["rounds"])
             for one in figures.matching(name, **labels) if step in one["labels"]}
    return sorted(found.items())


def sweeps(figures):
    """(title, name of the step, unit, {series: points}) of each that was measured."""
    histories = [one["labels"]["tasks"] for one in figures.matching("load.rate", of="express")]
    longest = max(histories, default=0)
    peers = {"agent": "agent", "Express": "express"}
    all_of_them = []

    def add(title, step, unit, series):
        series = {name: found for name, found in series.items() if found}
        if series:
            all_of_them.append((title, step, unit, series))
    for route, words in (("task", "GET /api/tasks/{id}"), ("list", "GET /api/tasks?limit=50")):
        for name, unit in (("rate", "requests a second"), ("p99", "ms, p99"),
                           ("cpu", "us of the processors a request")):
            add(f"{words}, {READERS} clients", "tasks of history", unit,
                {peer: points(figures, "load." + name, "tasks", route=route, of=of, running=0,
                              clients=READERS) for peer, of in peers.items()})
            add(f"{words}, {longest:,} tasks", "clients", unit,
                {peer: points(figures, "load." + name, "clients", route=route, of=of, running=0,
                              tasks=longest) for peer, of in peers.items()})
        add(f"{words}, {READERS} clients, {longest:,} tasks", "running containers",
            "requests a second", {"agent": points(figures, "load.rate", "running", route=route,
                                                  of="agent", clients=READERS, tasks=longest)})
    add("A page in the depth of the list", "tasks of history", "ms, median",
        {words: points(figures, "page.p50", "tasks", page=page)
         for words, page in (("first page", "first"), ("10,000th, or the middle", "deep"))})
    add("Agent start to the first answer", "tasks of history", "ms",
        {"nothing runs": points(figures, "startup", "tasks", running=0)})
    for of in ("RssAnon", "VmRSS"):
        add(f"Memory of the agent: {of}", "running containers", "MiB",
            {words: points(figures, "memory", "running", of=of, when=when)
             for words, when in (("at rest", "at rest"), ("after the load", "after load"))})
    add("resmgr list beside docker ps", "running containers", "ms",
        {words: points(figures, "command.list", "running", of=of)
         for words, of in (("resmgr list", "ours"), ("docker ps", "theirs"))})
    add("After kill -9: start to settled", "running containers", "ms",
        {words: points(figures, "settle", "running", of=of)
         for words, of in (("agent", "agent"), ("the engine alone", "engine"))})
    add("Cold starts", "at once", "ms until it is ready",
        {words: points(figures, "start.wall", "at_once", of=of, service="probed")
         for words, of in (("agent", "agent"), ("the engine alone", "raw"))})
    return all_of_them


def table(head, rows):
    out = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    out += ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
    return "\n".join(out)


def row_cells(row):
    return [row["what"], row["target"], row["measured"], row["spread"], row["verdict"], row["note"]]


HEAD = ["what", "wanted", "measured", "spread", "", "beside it"]


def sweep_tables(found):
    for title, step, unit, series in found:
        steps = sorted({x for line in series.values() for x, _ in line})
        rows = []
        for x in steps:
            cells = [f"{x:,}"]
            for line in series.values():
                one = dict(line).get(x)
                cells.append(f"{number(one.value)} ({spread(one)})".replace(" ()", "")
                             if one else "-")
            rows.append(cells)
        yield f"**{title}** ({unit})", [step, *series], rows


def markdown(about, rows, found, figures):
    met = sum(row["verdict"] == "met" for row in rows)
    judged = sum(row["verdict"] in ("met", "missed") for row in rows)
    out = ["# What resmgr costs, beside what it stands on", "",
           f"{about['began']}, {about['took']}. {met} of {judged} targets are met. {CAVEAT} "
           f"{FAIRNESS}", "", table(HEAD, [row_cells(row) for row in rows]), "", "## The machine", "",
           table(["", ""], [*about["machine"].items(), *about["versions"].items()]), ""]
    for name, why in about["failed"].items():
        out += [f"**{name} could not be measured**: {why}", ""]
    out += ["## How cost grows", ""]
    for title, head, cells in sweep_tables(found):
        out += [title, "", table(head, cells), ""]
    out += ["## Every figure", ""]
    every = []
    for one in figures.all:
        measured = Measured(one["rounds"])
        labels = ", ".join(f"{key} {value}" for key, value in one["labels"].items())
        every.append([one["figure"], labels, number(measured.value, one["unit"]), spread(measured),
                      str(len(one["rounds"]))])
    out += [table(["figure", "of", "median", "spread", "rounds"], every), ""]
    return "\n".join(out)


STYLE = """
:root { color-scheme: light dark; --ink: #1c2126; --dim: #5d6770; --grid: #dfe3e7; --page: #fff;
  --s0: #0b6bcb; --s1: #d9730d; --s2: #2a8a4a; --s3: #8250c4; --met: #2a8a4a; --missed: #c9372c }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6e9ec; --dim: #98a2ab; --grid: #333a41; --page: #16191c;
    --s0: #5aa9f5; --s1: #f0a050; --s2: #5cc480; --s3: #b692ee; --met: #5cc480; --missed: #f0776c } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--page);
  max-width: 1320px; margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.5rem } h2 { font-size: 1.15rem; margin-top: 2.2rem } p { max-width: 75ch }
table { border-collapse: collapse; font-size: 13px } .over { overflow-x: auto }
td, th { text-align: left; padding: .25rem .7rem .25rem 0; border-bottom: 1px solid var(--grid);
  vertical-align: top }
.is-met { color: var(--met) } .is-missed { color: var(--missed); font-weight: 600 }
.charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(360px, 1fr)); gap: 1.2rem }
svg { width: 100%; height: auto } svg.wide { max-width: 1100px }
svg text { fill: var(--ink); font: 12px system-ui, sans-serif }
svg .title { font-weight: 600; font-size: 13px } svg .small { fill: var(--dim); font-size: 11px }
.grid { stroke: var(--grid) } .limit { stroke: var(--ink); stroke-dasharray: 3 3 }
.line { fill: none; stroke-width: 2 } rect.met { fill: var(--met) } rect.missed { fill: var(--missed) }
""" + "".join(f".line.s{n} {{ stroke: var(--s{n}) }} circle.s{n} {{ fill: var(--s{n}) }}\n"
              for n in range(4))


def html_table(head, rows):
    def cells(kind, row):
        return "".join(f'<{kind}{mark(cell)}>{html.escape(cell)}</{kind}>' for cell in row)

    def mark(cell):
        return f' class="is-{cell}"' if cell in ("met", "missed") else ""
    return ('<div class="over"><table><tr>' + cells("th", head) + "</tr>"
            + "".join(f"<tr>{cells('td', row)}</tr>" for row in rows) + "</table></div>")


def page(about, rows, found):
    facts = [*about["machine"].items(), *about["versions"].items()]
    pictures = "\n".join(f"<div>{charts.lines(title, step, unit, series)}</div>"
                         for title, step, unit, series in found)
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>What resmgr costs</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><style>{STYLE}</style></head><body>
<h1>What resmgr costs, beside what it stands on</h1>
<p>{html.escape(about['began'])}, {html.escape(about['took'])}. {html.escape(CAVEAT)}
{html.escape(FAIRNESS)}</p>
{charts.bars(rows)}
{html_table(HEAD, [row_cells(row) for row in rows])}
<h2>How cost grows</h2>
<p>The steps lie evenly apart, so that a level line is a cost that does not grow. The upright strokes
reach from the least round to the greatest.</p>
<div class="charts">{pictures}</div>
<h2>The machine</h2>
{html_table(["", ""], facts)}
</body></html>
"""


def write(folder, about, rows, figures):
    found = sweeps(figures)
    folder.mkdir(parents=True, exist_ok=True)
    texts = {
        "report.json": json.dumps({**about, "rows": rows, "figures": figures.all}, indent=1) + "\n",
        "report.md": markdown(about, rows, found, figures),
        "report.html": page(about, rows, found),
    }
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    return [folder / name for name in texts]
