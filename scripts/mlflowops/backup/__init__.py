"""Makes and lists backups by Jobs of the chart's CronJobs."""
