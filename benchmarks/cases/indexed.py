"""What the index that is off by default changes: searches by a metric, and the cost of a batch of metrics."""

from dataclasses import replace

from benchmarks.cases import big_searches, writes

BY_METRIC = ("order by metric", "metric > x (0.1 %)")

CASES = (
    *(
        replace(case, group="indexed", clients={1: "indexed"})
        for case in big_searches.CASES
        if case.name in BY_METRIC
    ),
    *(
        replace(case, group="indexed", clients={8: "indexed"})
        for case in writes.CASES
        if case.name == "log batch of 20"
    ),
)
