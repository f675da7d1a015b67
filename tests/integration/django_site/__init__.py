"""A Django project, as the application under test."""
