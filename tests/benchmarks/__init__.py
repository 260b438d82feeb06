"""The benchmarks behind ``make bench``: memrepo, raw sqlite3 and its peers, interleaved in one run."""
