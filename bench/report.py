"""Figures with their targets, line by line, and how many were met. Knows nothing of what is measured."""

import sys
import time


class Report:
    def __init__(self):
        self.started, self.met, self.missed = time.monotonic(), 0, []

    @staticmethod
    def heading(text):
        print(f"\n{text}", flush=True)

    def progress(self, text):
        """For whoever watches: what takes so long, and since when."""
        print(f"  [{time.monotonic() - self.started:6.0f} s] {text}", file=sys.stderr, flush=True)

    @staticmethod
    def figure(name, value, unit="", note=""):
        """A figure nobody has set a target for."""
        print(f"  {name:58} {shown(value):>10} {unit:8} {note}".rstrip(), flush=True)

    def at_most(self, name, value, limit, unit="", note=""):
        self.judge(name, value, unit, f"at most {shown(limit)}", value <= limit, value / limit - 1 if limit else value, note)

    def at_least(self, name, value, limit, unit="", note=""):
        self.judge(name, value, unit, f"at least {shown(limit)}", value >= limit, 1 - value / limit, note)

    def judge(self, name, value, unit, target, good, by, note):
        verdict = "met" if good else f"MISSED by {by:.0%}"
        print(f"  {name:58} {shown(value):>10} {unit:8} {target:18} {verdict:14} {note}".rstrip(), flush=True)
        if good:
            self.met += 1
        else:
            self.missed.append(name)

    def end(self):
        print(f"\n{self.met} met, {len(self.missed)} missed, in {time.monotonic() - self.started:.0f} s", flush=True)


def shown(value):
    if isinstance(value, int) or float(value).is_integer() and abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:,.2f}" if abs(value) < 100 else f"{value:,.0f}"
