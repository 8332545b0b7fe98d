"""The same addresses as everybody's."""

from django.urls import path

from service.views import Projects, SignIn, healthz

urlpatterns = [
    path("api/v1/healthz", healthz),
    path("api/v1/auth/login", SignIn.as_view()),
    path("api/v1/projects", Projects.as_view({"get": "list", "post": "create"})),
    path("api/v1/projects/<uuid:pk>", Projects.as_view({"get": "retrieve", "patch": "partial_update"})),
]
