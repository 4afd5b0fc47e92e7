"""Backups by hand: the Jobs that the chart's CronJobs would make, watched to their end."""
