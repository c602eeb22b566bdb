"""What a fuzzing run has sent, got and found."""

from __future__ import annotations

import threading
from collections import Counter, defaultdict

NO_ANSWER = -1  # of raw bytes: the server hung up, or waited for more
_COLUMNS = ("200", "4xx", "hung up", "wrong")


class Tally:
    """``broken``: one line for each promise that was not kept. Callers may add at once."""

    def __init__(self) -> None:
        self.broken: list[str] = []
        self.deaths = 0
        self.tracebacks = 0
        self._statuses: dict[str, Counter[int]] = defaultdict(Counter)
        self._wrong: Counter[str] = Counter()
        self._lock = threading.Lock()

    def add(self, kind: str, status: int, wrong: list[str], data: bytes) -> None:
        with self._lock:
            self._statuses[kind][status] += 1
            self._wrong[kind] += bool(wrong)
            self.tracebacks += sum("of the inside" in line for line in wrong)
            self.broken += [f"{kind}: {line}, for {data[:300]!r}" for line in wrong]

    def watch_log(self, log: str) -> None:
        """Looks for what a server writes when something goes wrong that it did not foresee."""
        for word in ("Traceback", '"level":"ERROR"', " ERROR ", "Exception"):
            if word in log:
                line = next(line for line in log.splitlines() if word in line)
                self.broken.append(f"the server's log has {word!r} in it {log.count(word)} times: {line[:300]}")
        if self.deaths:
            self.broken.append(f"{self.deaths} processes died")

    @property
    def inputs(self) -> int:
        return sum(counts.total() for counts in self._statuses.values())

    def statuses(self) -> Counter[int]:
        return sum(self._statuses.values(), Counter())

    def table(self) -> str:
        rows = [f"{'kind':28} {'inputs':>9} " + " ".join(f"{name:>8}" for name in _COLUMNS) + "  refusals"]
        for kind, counts in sorted(self._statuses.items()):
            refused = {status: count for status, count in sorted(counts.items()) if 400 <= status < 500}
            cells = [counts[200], sum(refused.values()), counts[NO_ANSWER], self._wrong[kind]]
            said = " ".join(f"{status}×{count}" for status, count in refused.items())
            rows.append(f"{kind:28} {counts.total():>9,} " + " ".join(f"{cell:>8,}" for cell in cells) + f"  {said}")
        return "\n".join(rows)

    def summary(self) -> str:
        faults = sum(count for status, count in self.statuses().items() if status >= 500)
        return (
            f"{self.deaths} deaths, {self.tracebacks} tracebacks or paths in answers, {faults} answers with 5xx, "
            f"{len(self.broken)} broken promises"
        )
