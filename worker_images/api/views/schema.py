"""The API's own description."""

from __future__ import annotations

from drf_spectacular.renderers import OpenApiJsonRenderer, OpenApiYamlRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView


class Schema(APIView):
    """`GET schema/`: this document, as YAML or, by `Accept`, as JSON."""

    renderer_classes = (OpenApiYamlRenderer, OpenApiJsonRenderer)

    def get(self, request: Request) -> Response:
        # The document describes this view as well.
        from worker_images.api.openapi.document import document  # noqa: PLC0415

        return Response(document())
