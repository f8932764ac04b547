"""Sending in a process of its own: the hub decides and commits, its courier process claims, renders, sends, records.

Both work on one store as two hubs would, under the same leases, so nothing here is needed for what is promised: it only
spares intake the time that sending takes, where there is a second processor. What passes between them are hints about
rows that are on disk. When the courier process is not there, or does not beat, the hub sends by itself.
"""
