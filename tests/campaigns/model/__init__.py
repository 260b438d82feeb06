"""
What a store promises, in plain Python: every method of the repositories on plain tuples of rows.

One call after another, nothing waits, nothing fails: so whatever many tasks get from a store must be
what this gives for some order of their calls. The methods have the names and arguments of the real
ones and return the same values, ids included.
"""
