"""Tests of the local collector, over real HTTP."""
