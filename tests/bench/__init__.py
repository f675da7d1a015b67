"""What a logging call costs, beside other ways to ship a log record."""
