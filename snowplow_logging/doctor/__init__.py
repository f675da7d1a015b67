"""``snowplow-logging doctor``: says what a configuration sends, and whether it would arrive."""
