"""
The local web page to look at a memory. Needs ``pip install memrepo[browse]``; ``memrepo browse`` runs it.

Plain pages from the server: no JavaScript, nothing from elsewhere.
"""
