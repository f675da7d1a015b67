"""The programs that meet the faults; each is run by ``python -m``, gunicorn or Celery."""
