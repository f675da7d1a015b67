"""A state machine over the engine of delivery, with a time and a collector of its own."""
