"""The command that looks into a spool, and empties it."""
