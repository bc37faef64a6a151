"""Charts as SVG, of lines over steps that lie evenly apart, which is what the sweeps are."""

import html
import math

WIDTH, HEIGHT = 420, 270
LEFT, RIGHT, TOP, BOTTOM = 62, 14, 44, 58


def short(value):
    for limit, letter in ((1_000_000, "M"), (1_000, "k")):
        if abs(value) >= limit:
            return f"{value / limit:.3g}{letter}"
    return f"{value:.3g}"


def ticks(most):
    """Even steps from 0 to above `most`."""
    raw = most / 4
    step = 10 ** math.floor(math.log10(raw)) if raw > 0 else 1
    step *= next(factor for factor in (1, 2, 2.5, 5, 10) if factor * step >= raw)
    return [step * number for number in range(int(math.ceil(most / step)) + 1)]


def text(x, y, words, kind="", anchor="middle"):
    return (f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" class="{kind}">'
            f"{html.escape(words)}</text>")


def lines(title, x_name, y_name, series):
    """`series` is {name: [(x, Measured)]}; the bars are the least and the greatest round."""
    steps = sorted({x for points in series.values() for x, _ in points})
    if not steps:
        return ""
    most = max(found.most for points in series.values() for _, found in points)
    marks = ticks(most or 1)
    across, down = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM

    def at_x(x):
        if len(steps) == 1:
            return LEFT + across / 2
        return LEFT + 12 + (across - 24) * steps.index(x) / (len(steps) - 1)

    def at_y(value):
        return TOP + down * (1 - value / marks[-1])

    out = [f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{html.escape(title)}">',
           text(LEFT, 18, title, "title", "start"), text(LEFT, 34, y_name, "small", "start")]
    for mark in marks:
        out.append(f'<path class="grid" d="M{LEFT} {at_y(mark):.1f}H{WIDTH - RIGHT}"/>')
        out.append(text(LEFT - 6, at_y(mark) + 4, short(mark), "small", "end"))
    for x in steps:
        out.append(text(at_x(x), TOP + down + 16, short(x), "small"))
    out.append(text(LEFT + across / 2, TOP + down + 31, x_name, "small"))
    for number, (name, points) in enumerate(series.items()):
        kind = f"s{number % 4}"
        path = " ".join(f"{at_x(x):.1f},{at_y(found.value):.1f}" for x, found in points)
        out.append(f'<polyline class="line {kind}" points="{path}"/>')
        for x, found in points:
            out.append(f'<path class="line {kind}" d="M{at_x(x):.1f} {at_y(found.least):.1f}'
                       f'V{at_y(found.most):.1f}"/>')
            out.append(f'<circle class="{kind}" cx="{at_x(x):.1f}" cy="{at_y(found.value):.1f}" '
                       f'r="3.5"><title>{html.escape(name)}, {short(x)}: {found.value:,.2f}'
                       "</title></circle>")
        out.append(f'<circle class="{kind}" cx="{LEFT + 6 + 150 * (number % 2)}" '
                   f'cy="{HEIGHT - 10}" r="4"/>')
        out.append(text(LEFT + 14 + 150 * (number % 2), HEIGHT - 6, name, "small", "start"))
    out.append("</svg>")
    return "\n".join(out)


def bars(rows):
    """How much of what is wanted each row reaches; beyond the line it is missed."""
    shown = [row for row in rows if row["value"] is not None
             and (row["limit"] or row["least"])]
    if not shown:
        return ""
    label, width, step = 470, 900, 24
    height = step * len(shown) + 40
    scale = (width - label - 130) / 2
    out = [f'<svg class="wide" viewBox="0 0 {width} {height}" role="img" '
           'aria-label="Targets and what was measured">']
    for number, row in enumerate(shown):
        part = row["value"] / row["limit"] if row["limit"] else row["least"] / row["value"]
        y = 8 + step * number
        kind = "met" if row["verdict"] == "met" else "missed"
        out.append(text(label - 8, y + 13, row["what"], "small", "end"))
        out.append(f'<rect class="{kind}" x="{label}" y="{y + 2}" height="14" '
                   f'width="{max(1.0, min(part, 2) * scale):.1f}"/>')
        out.append(text(label + min(part, 2) * scale + 6, y + 13,
                        f'{row["measured"]} {"" if row["verdict"] == "met" else "missed"}'.strip(),
                        "small", "start"))
    out.append(f'<path class="limit" d="M{label + scale:.1f} 4V{height - 30}"/>')
    out.append(text(label + scale, height - 14, "what is wanted: shorter is better", "small"))
    out.append("</svg>")
    return "\n".join(out)
