"""Existing logs as events: JSON lines from files, globs or a pipe.

The law: a place in a file is remembered only when the events of all lines before it are delivered,
or counted as lost. So whatever ends the process, nothing is lost, and what comes again has the
ids that it had before.
"""
