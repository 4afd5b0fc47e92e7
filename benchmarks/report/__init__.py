"""The page docs/performance.md, made of the results of a run."""
