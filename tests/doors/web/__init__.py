"""memrepo in web frameworks: the recipes of docs/examples/web, each on real servers."""
