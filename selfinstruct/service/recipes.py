"""The built-in recipes, to start a run from."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import Literal

from selfinstruct.api.builtin_recipes import recipe_text, recipes
from selfinstruct.messages import LANGUAGES, Phrase
from selfinstruct.recipe import builtin, has_variants, load_recipe
from selfinstruct.service.models import Answer, NoBody, NoQuery
from selfinstruct.service.problems import not_found
from selfinstruct.service.routes import Call, Route

Need = Literal["model", "seeds", "documents"]


class RecipeShown(Answer):
    """A built-in recipe: what its rows are, the languages of its prompts, and what a run of it needs.

    ``needs`` "model" is an endpoint, "seeds" rows of one's own in place of those that it has, "documents" texts.
    """

    name: str
    title: str
    summary: str
    languages: list[str]
    needs: list[Need]


class RecipeList(Answer):
    """The built-in recipes."""

    recipes: list[RecipeShown]


class RecipeText(RecipeShown):
    """A built-in recipe with its text."""

    toml: str


async def list_recipes(call: Call[NoQuery, NoBody]) -> RecipeList:
    """The built-in recipes."""
    return RecipeList(recipes=await asyncio.to_thread(_all))


async def read_recipe(call: Call[NoQuery, NoBody]) -> RecipeText:
    """A built-in recipe with its text, to edit."""
    name = call.path["name"]
    for each in await asyncio.to_thread(_all):
        if each.name == name:
            return RecipeText(**each.model_dump(), toml=recipe_text(name))
    raise not_found(Phrase("no such recipe"), Phrase("List the recipes: GET /v1/recipes."))


def _all() -> list[RecipeShown]:
    return [_shown(each.name, each.summary, each.needs_model) for each in recipes()]


def _shown(name: str, summary: str, needs_model: bool) -> RecipeShown:
    recipe = load_recipe(builtin.path(name))
    languages: list[str] = [*LANGUAGES] if has_variants(recipe_text(name), name) else [recipe.language or "en"]
    needs: list[Need] = ["model"] if needs_model else []
    if not recipe.seeds.file and recipe.documents is None and not recipe.attributes:
        needs.append("seeds")
    return RecipeShown(name=name, title=recipe.task or summary, summary=summary, languages=languages, needs=needs)


ROUTES = (
    Route("GET", "/v1/recipes", list_recipes, "List the built-in recipes"),
    Route("GET", "/v1/recipes/{name}", read_recipe, "Read a built-in recipe", errors=(HTTPStatus.NOT_FOUND,)),
)
