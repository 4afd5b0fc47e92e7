"""The load generator: wrk, with a script that sends the requests of a file."""
