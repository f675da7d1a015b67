"""A folder for ``PYTHONPATH``: what a Python process under ``infer`` runs at its start."""
