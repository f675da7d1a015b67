"""``snowplow-logging relay``: sends what handlers have written to a Redis Stream to a collector.

The law: an entry leaves the stream only after the collector has acknowledged its event, or after
it stands in the dead-letter stream with the reason why it cannot be sent.
"""
