"""A small curve of temperatures over time, in letters of braille: two dots across and four down in each."""

from __future__ import annotations

import math
from collections.abc import Sequence

BLANK = 0x2800  # braille letter without dots
_DOTS = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))  # of the left and the right column, from the top
MOST = 512  # samples that are kept


class Samples:
    """Rows of numbers over a run, thinned out evenly so that their number stays bounded."""

    def __init__(self) -> None:
        self.rows: list[tuple[float, ...]] = []
        self._stride, self._passed = 1, 0

    def add(self, row: tuple[float, ...]) -> None:
        """Take in a row, the time first."""
        if self._passed % self._stride == 0:
            self.rows.append(row)
            if len(self.rows) >= MOST:
                self.rows, self._stride = self.rows[::2], 2 * self._stride
        self._passed += 1


def plotted(rows: Sequence[tuple[float, ...]], end: float, size: tuple[int, int]) -> list[list[tuple[str, int]]]:
    """Curves as lines of letters, each with the number of the curve that it belongs to, -1 for none.

    Args:
        rows: time [s] and values of each, in the order of time.
        end: time [s] at the right edge.
        size: letters across and lines.
    """
    columns, lines = size
    low, high = limits_of(rows)
    begin = rows[0][0]
    width, height = 2 * columns - 1, 4 * lines - 1
    marks = [[BLANK] * columns for _ in range(lines)]
    owner = [[-1] * columns for _ in range(lines)]
    for curve in range(len(rows[0]) - 1):
        levels: dict[int, tuple[int, int]] = {}  # of each column of dots, the lowest and highest
        for row in rows:
            x = round(width * min(max((row[0] - begin) / max(end - begin, 1e-12), 0.0), 1.0))
            y = round(height * (high - row[curve + 1]) / (high - low))
            known = levels.get(x, (y, y))
            levels[x] = min(known[0], y), max(known[1], y)
        for x, y in _joined(levels):
            marks[y // 4][x // 2] |= _DOTS[x % 2][y % 4]
            owner[y // 4][x // 2] = curve
    return [[(chr(mark), whose) for mark, whose in zip(*line, strict=True)] for line in zip(marks, owner, strict=True)]


def limits_of(rows: Sequence[tuple[float, ...]]) -> tuple[float, float]:
    """Least and largest value of all curves, never the same."""
    low, high = min(min(row[1:]) for row in rows), max(max(row[1:]) for row in rows)
    return (low, high) if high - low > 1e-6 else (low - 0.5, high + 0.5)


def _joined(levels: dict[int, tuple[int, int]]) -> list[tuple[int, int]]:
    """Dots of a curve whose columns are joined by straight lines."""
    dots, before = [], None
    for x in sorted(levels):
        top, bottom = levels[x]
        dots += [(x, y) for y in range(top, bottom + 1)]
        if before is not None:
            dots += _between(before, (x, (top + bottom) // 2))
        before = x, (top + bottom) // 2
    return dots


def _between(first: tuple[int, int], last: tuple[int, int]) -> list[tuple[int, int]]:
    """Dots of a straight line from one to another."""
    steps = max(abs(last[0] - first[0]), abs(last[1] - first[1]), 1)
    (x, y), across, down = first, last[0] - first[0], last[1] - first[1]
    return [(math.floor(x + across * n / steps + 0.5), math.floor(y + down * n / steps + 0.5)) for n in range(steps + 1)]
