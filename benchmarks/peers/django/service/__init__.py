"""The service on Django and Django REST framework."""
