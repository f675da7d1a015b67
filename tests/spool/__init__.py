"""Tests of the spool: what is on disk, who may send it, and what the disk does wrong."""
