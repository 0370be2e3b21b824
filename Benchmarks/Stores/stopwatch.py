"""Times that stand beside each other, and their ratios."""
import statistics


class Times:
    """The times of several cases, in milliseconds, each measured once a round."""

    def __init__(self):
        self.cases = {}

    def add(self, name, milliseconds):
        self.cases.setdefault(name, []).append(milliseconds)

    def __getitem__(self, name):
        """The median of a case; None where it was not measured."""
        times = self.cases.get(name)
        return statistics.median(times) if times else None

    def report(self, title):
        print(f"\n{title}")
        for name, times in self.cases.items():
            print(f"  {statistics.median(times):10.3f} ms  ({min(times):.3f} … {max(times):.3f})  {name}", flush=True)


def ratio(name, a, b, at_least=None, at_most=None):
    """A line for a / b, and the bound it should keep."""
    if a is None or b is None:
        print(f"  (no {name}: set PEERS_PYTHON to an interpreter that has torch)")
        return
    value, wanted = a / b, ""
    for bound, word, kept in ((at_least, "least", lambda: value >= at_least), (at_most, "most", lambda: value <= at_most)):
        if bound is not None:
            wanted = f" (wanted: at {word} {bound:g})" + ("" if kept() else "  NOT REACHED")
    print(f"  {value:8.2f} ×  {name}{wanted}", flush=True)
