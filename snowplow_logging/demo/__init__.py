"""``snowplow-logging demo``: a small web shop whose log records arrive as events.

The shop is an application like any other: ``shop`` is its code, ``logs`` its logging
configuration, ``server`` serves it. ``traffic`` plays its customers. ``arrivals`` reads what a
collector received, ``outcome`` compares that with what was logged, ``screen`` shows it.
"""
