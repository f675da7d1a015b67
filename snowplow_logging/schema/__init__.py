"""``snowplow-logging schema``: the schemas of events, from the first draft to the next version.

Law: nothing here runs while an application logs; what reads a schema never changes it.
"""
