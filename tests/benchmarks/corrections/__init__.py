"""Facts that are corrected again and again: how much of what is stale comes back, from memrepo and its peers."""
