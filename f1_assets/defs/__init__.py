"""All that is Dagster's: assets, partitions, jobs, resources. Each is a few lines over a function of the library."""
