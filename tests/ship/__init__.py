"""Tests of ``snowplow-logging ship``, with real files, processes and collectors."""
