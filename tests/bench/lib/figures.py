"""Figures: what was measured, as {figure, unit, labels, rounds: [[value, …], …]}."""

import json
import statistics


def quantile(values, q):
    ordered = sorted(values)
    return ordered[int(q * (len(ordered) - 1) + 0.5)]


class Measured:
    """A median of rounds, with the least and the greatest of the rounds' medians."""

    def __init__(self, rounds):
        self.rounds = [statistics.median(values) for values in rounds if values]
        self.value = statistics.median(self.rounds)
        self.least, self.most = min(self.rounds), max(self.rounds)


class Figures:
    def __init__(self):
        self.all = []

    def add(self, name, unit, labels, rounds):
        self.all.append({"figure": name, "unit": unit, "labels": labels, "rounds": rounds})

    def read(self, file):
        with open(file, encoding="utf-8") as lines:
            self.all.extend(json.loads(line) for line in lines)

    def matching(self, name, **labels):
        """Every figure of that name that has these labels."""
        return [one for one in self.all if one["figure"] == name
                and all(one["labels"].get(key) == value for key, value in labels.items())]

    def rounds(self, name, **labels):
        """Of the last such figure; None: it was not measured."""
        found = self.matching(name, **labels)
        return found[-1]["rounds"] if found else None

    def measured(self, name, **labels):
        rounds = self.rounds(name, **labels)
        return Measured(rounds) if rounds else None

    def values(self, name, **labels):
        """All rounds' values together."""
        rounds = self.rounds(name, **labels)
        return [value for values in rounds for value in values] if rounds else None

    def ratio(self, above, below):
        """Of two (name, labels), round by round, since both of a round met the same noise."""
        upper, lower = self.rounds(above[0], **above[1]), self.rounds(below[0], **below[1])
        if not upper or not lower:
            return None
        return Measured([[statistics.median(a) / statistics.median(b)]
                         for a, b in zip(upper, lower)])
