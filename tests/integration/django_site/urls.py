"""The project's addresses."""
# Django has no types.
# mypy: ignore-errors
# pyright: basic

import views
from django.urls import path

urlpatterns = [
    path("orders/<int:number>/", views.order),
    path("products/<int:number>/", views.product),
    path("invoices/<int:number>/", views.invoice),
    path("payments/<int:number>/", views.payment),
]
