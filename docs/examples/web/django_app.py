"""memrepo in Django's synchronous views: ``gunicorn --chdir docs/examples/web --threads 25 django_app:app``."""

import json
import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt
from login import user_of
from sync_memory import memory_of_process

import memrepo

settings.configure(
    SECRET_KEY=os.environ["APP_SECRET"], ROOT_URLCONF=__name__, ALLOWED_HOSTS=["127.0.0.1"]
)


async def contents(mine: memrepo.ScopedStore) -> list[str]:
    return [fact.content async for fact in mine.memories.iterate()]


@csrf_exempt  # it knows its user by a token that no form of another site has
def facts(request: HttpRequest) -> HttpResponse:
    user = user_of(request.headers.get("authorization"))
    if user is None:
        return HttpResponse(status=401, headers={"WWW-Authenticate": "Bearer"})
    mine = memory_of_process().store.scoped(f"user:{user}")
    if request.method != "POST":
        return JsonResponse(memory_of_process().call(contents, mine), safe=False)
    try:
        text = json.loads(request.body)["text"]
    except ValueError:
        return HttpResponse(status=400)
    except (LookupError, TypeError):
        return HttpResponse(status=422)
    try:
        known = memory_of_process().call(mine.memories.remember, text)
    except memrepo.InvalidInputError as error:
        return JsonResponse({"field": error.field, "error": error.reason}, status=422)
    return JsonResponse({"id": known.id, "outcome": known.outcome}, status=201)


urlpatterns = [path("facts", facts)]
app = get_wsgi_application()
