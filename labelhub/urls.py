"""Addresses: pages of each app at the root, the API under /api/, Django admin under /admin/."""

from django.contrib import admin
from django.urls import include, path
from django.views.i18n import set_language
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from labelhub.health import healthz

api_urlpatterns = [
    path("schema/", SpectacularAPIView.as_view(), name="api_schema"),
    path("docs/", SpectacularSwaggerSplitView.as_view(url_name="api_schema"), name="api_docs"),
    path("", include("annotators.api")),
    path("", include("datasets.api")),
    path("", include("datasets.overview.api")),
    path("", include("jobs.api")),
    path("", include("jobs.description.api")),
    path("", include("jobs.finding.api")),
    path("", include("labels.api")),
    path("", include("labels.adding.api")),
    path("", include("labels.labelset.api")),
    path("", include("inference.api")),
]

urlpatterns = [
    path("", include("annotators.urls")),
    path("", include("datasets.urls")),
    path("", include("datasets.overview.urls")),
    path("", include("jobs.urls")),
    path("", include("labels.urls")),
    path("", include("labels.adding.urls")),
    path("", include("jobs.description.urls")),
    path("", include("jobs.finding.urls")),
    path("", include("labels.labelset.urls")),
    path("api/", include(api_urlpatterns)),
    path("admin/", admin.site.urls),
    path("language/", set_language, name="set_language"),
    path("healthz/", healthz, name="healthz"),
]
