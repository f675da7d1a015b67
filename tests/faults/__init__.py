"""The table of faults: an application in processes of its own, a collector that misbehaves."""
