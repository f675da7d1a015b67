"""Tests of ``snowplow-logging schema``."""
