"""The programs of the CronJobs."""
