from mlflowops.cli import main

main()
