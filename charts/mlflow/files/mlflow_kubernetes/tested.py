"""The versions of MLflow with which its insides are tested; with others all of it is MLflow's own."""

# Their tables are those that the fast paths know; MLflow opens no database of another revision.
TESTED = {"3.17.2"}
