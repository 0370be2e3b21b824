"""What was seen, and whether it will do."""
import collections
import statistics

HEALTH_MS = 50
GROWTH, GROWTH_KIB = 0.05, 4096
# The store's writer and its pool of readers, which grows as parallel requests meet and stays: `Store.open`.
STORE_CONNECTIONS = 9


class Tally:
    """Answers by kind of client and outcome, and the first wrong ones in full."""

    def __init__(self):
        self.counts, self.examples = collections.Counter(), []

    def count(self, kind, outcome, by=1):
        self.counts[kind, outcome] += by

    def wrong(self, kind, text):
        self.count(kind, "WRONG")
        if len(self.examples) < 20:
            self.examples.append(f"{kind}: {text[:600]}")

    def total(self, outcome):
        return sum(count for (_, each), count in self.counts.items() if each == outcome)

    def line(self):
        return f"{self.total('right')} right, {self.total('refused')} refused, {self.total('WRONG')} wrong"


class Judgement:
    """One line for each thing judged."""

    def __init__(self, tally):
        self.tally, self.lines, self.failed = tally, [], False
        good = tally.counts["good", "right"]
        self.judge("answers", tally.total("WRONG") == 0 and good > tally.counts["good", "refused"], tally.line())

    def judge(self, name, holds, text):
        self.failed |= not holds
        self.lines.append(f"{'ok    ' if holds else 'FAILED'}  {name:12}  {text}")

    def memory(self, samples):
        """Compares the second fifth of the run with the last."""
        fifth = len(samples) // 5
        if fifth == 0:
            return self.judge("memory", False, "too short a run to tell")
        early = statistics.median(sample.kib for sample in samples[fifth:2 * fifth])
        late = statistics.median(sample.kib for sample in samples[-fifth:])
        peak = max(sample.kib for sample in samples)
        self.judge(
            "memory", late - early <= max(GROWTH * early, GROWTH_KIB),
            f"RSS {early / 1024:.1f} MiB in the second fifth, {late / 1024:.1f} MiB in the last, peak {peak / 1024:.1f} MiB")
        spans = [f"{min(column)} to {max(column)}" for column in list(zip(*samples))[1:]]
        self.lines.append(f"        meanwhile     {spans[0]} descriptors, {spans[1]} threads")

    def health(self, delays):
        if len(delays) < 100:
            return self.judge("health", False, f"only {len(delays)} answers")
        cuts = statistics.quantiles(delays, n=100)
        self.judge(
            "health", cuts[98] <= HEALTH_MS,
            f"p50 {cuts[49]:.2f} ms, p99 {cuts[98]:.2f} ms, max {max(delays):.2f} ms of {len(delays)}")

    def descriptors(self, before, after):
        """Compares what was open before the clients came and after they had gone; any fewer will do, and the pool of readers."""
        kinds = collections.Counter(file.split(":")[0] for file in after)
        allowed = collections.Counter(file.split(":")[0] for file in before)
        for kind in kinds:
            if ".sqlite" in kind:
                allowed[kind] = STORE_CONNECTIONS
        more = {kind: count for kind, count in (kinds - allowed).items()}
        self.judge(
            "descriptors", not more,
            f"{len(before)} before, {len(after)} after the clients have gone" + (f"; more than may be: {more}" if more else ""))

    def exit(self, status, errors):
        self.judge("exit", status == 0, f"{status} after SIGTERM")
        self.judge("log", not errors, f"{len(errors)} errors" + "".join(f"\n          {line[:300]}" for line in errors[:5]))

    def report(self):
        """Prints everything; 1 if something failed."""
        rows = collections.defaultdict(list)
        for (kind, outcome), count in sorted(self.tally.counts.items()):
            rows[kind].append(f"{count} {outcome}")
        print()
        for kind, outcomes in rows.items():
            print(f"{kind:12}  {', '.join(outcomes)}")
        print()
        print("\n".join(self.lines + [f"        wrong: {example}" for example in self.tally.examples]))
        return 1 if self.failed else 0
