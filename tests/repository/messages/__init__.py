"""docs/messages.md: each sentence that the chart, its pods and mlflowops print, with its cause and its fix.

`cd tests && ../.venv/bin/python -m repository.messages` writes the page from the sources.
"""
