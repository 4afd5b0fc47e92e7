"""`python -m testbed` runs the command `testbed`."""

from testbed.cli import main

main()
