"""The search index: made when it is needed, and caught up beside everything else."""
