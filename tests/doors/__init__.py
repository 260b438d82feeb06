"""
memrepo inside other people's packages: what `make doors` runs, each folder in an environment of its own.

The default suite leaves them out, because its environment has none of these packages.
"""
