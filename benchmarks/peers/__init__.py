"""What is compared, and the objects of each."""
