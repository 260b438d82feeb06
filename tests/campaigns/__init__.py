"""
Fault campaigns: they break the disk, the process and the machine under memrepo on purpose.

``preload/`` holds two C libraries for ``LD_PRELOAD``; ``workloads/`` holds the programs that are
broken; the modules beside this one record, inject and judge; each ``test_*.py`` is one campaign.
README.md says what each campaign proves and how to run it.
"""
