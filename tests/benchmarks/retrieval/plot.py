"""A drawing of R@k, with matplotlib."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

__all__ = ["draw"]

#: The contenders that are drawn, by a part of their names; ours first, and thicker.
_DRAWN: Final = {
    "memrepo, `memories.search`": ("memrepo", "tab:red", "-"),
    "BM25 supplied": ("mem0, its BM25 supplied", "tab:purple", "-"),
    "Chroma": ("Chroma, LangGraph, mem0 offline", "tab:purple", ":"),
    "our stop words": ("rank_bm25, well prepared", "tab:blue", "-"),
    "bm25s": ("bm25s", "tab:green", "-"),
    "plain FTS5": ("plain FTS5", "tab:gray", "-"),
    "in its README": ("rank_bm25, as in its README", "tab:blue", ":"),
}
_HEIGHT: Final = 3.6
_WIDTH: Final = 3.6


def draw(results: dict[str, Any], target: Path) -> None:
    """Draw the R@k of contenders, a panel for what each row is."""
    import matplotlib as mpl  # noqa: PLC0415 - it is installed for the benchmark only

    mpl.use("svg")
    # The same run gives the same file.
    mpl.rcParams |= {"svg.hashsalt": "memrepo", "svg.fonttype": "none", "font.size": 9}
    from matplotlib import pyplot as plt  # noqa: PLC0415

    kinds = [*next(iter(results.values()))]
    size = (_WIDTH * len(kinds), _HEIGHT)
    figure, panels = plt.subplots(1, len(kinds), figsize=size, sharey=True, layout="constrained")
    for panel, kind in zip(panels, kinds, strict=True):
        for part, (label, colour, line) in _DRAWN.items():
            found = next((its for name, its in results.items() if part in name), None)
            if found is not None:
                heights = found[kind]["recall"]
                width = 2.4 if label == "memrepo" else 1.2
                places = range(1, len(heights) + 1)
                panel.plot(places, heights, line, color=colour, linewidth=width, label=label)
        panel.set(title=kind, xlabel="first k rows", xlim=(1, 25), ylim=(0, 0.9))
        panel.set_xticks((1, 5, 10, 15, 20, 25))
        panel.grid(alpha=0.3)
    panels[0].set_ylabel("share of the evidence found")
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=4, frameon=False)
    figure.savefig(target, metadata={"Date": None})
