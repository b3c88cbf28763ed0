"""The API's documentation at /docs, with its assets from this host and no inline script."""

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response

router = APIRouter(include_in_schema=False)

_VENDOR = "/static/vendor/swagger-ui"
_PAGE = f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Spokehub API</title>
<link rel="stylesheet" href="{_VENDOR}/swagger-ui.css">
<link rel="icon" type="image/png" href="{_VENDOR}/favicon-32x32.png">
</head>
<body>
<div id="swagger-ui"></div>
<script src="{_VENDOR}/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
"""
_START = """"use strict";
SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  docExpansion: "list",
  tryItOutEnabled: true,
  validatorUrl: null,
});
"""


@router.get("/docs")
def page() -> HTMLResponse:
    """The page."""
    return HTMLResponse(_PAGE)


@router.get("/docs/start.js")
def script() -> Response:
    """What starts it, as a file: the content security policy lets no inline script run."""
    return Response(_START, media_type="text/javascript")
