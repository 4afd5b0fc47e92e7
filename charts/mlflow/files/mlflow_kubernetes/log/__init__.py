"""How the programs write their logs."""
