"""What the benchmark does to the cluster and reads from it."""
