"""What hurt the users of trackers, exporters and shippers elsewhere: a test for each.

The number in a test's name is the hurt's; its docstring says what went wrong, where, and what
must hold here.
"""
