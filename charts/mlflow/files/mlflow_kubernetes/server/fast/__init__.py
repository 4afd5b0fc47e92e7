"""Fast paths: the calls that clients make most, with one SQL statement each instead of MLflow's ORM.

MLflow's own code parses and checks each request, and writes each error. Whatever is not the usual case is
left to it altogether: `Unusual` says so, and nothing has been written then that MLflow would not write again.
"""
