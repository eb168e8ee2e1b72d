"""The recipe: what a data set is and how it grows, as frozen data read from TOML.

    load_recipe("logqa.toml") -> Recipe -> bind(recipe, seed fields) -> Recipe that a run can trust

Does not handle: inferring a recipe from seeds (``preparation``), reading the seeds (``rows``), or checking that a
category in ``quota.weights`` exists, which is known only once the seeds are read.
"""

from selfinstruct.recipe.changes import frozen_changes
from selfinstruct.recipe.endpoint_url import VARIABLE, shown_url
from selfinstruct.recipe.extensions import Importer, accept_unimported, extension_error, import_extension, is_reference
from selfinstruct.recipe.gate import Gate, Tolerances, Waiver, WaiverFile
from selfinstruct.recipe.methods import (
    Attribute,
    Documents,
    Expand,
    Field,
    Judge,
    Passages,
    Questions,
    Rule,
    Snippets,
    Step,
    Verify,
)
from selfinstruct.recipe.reading import bind, has_variants, is_recipe, load_recipe, parse_recipe, recipe_name
from selfinstruct.recipe.relations import Relation
from selfinstruct.recipe.tables import (
    PROBABILITY,
    Categories,
    Checks,
    Demos,
    Model,
    Novelty,
    Price,
    Prompt,
    Quota,
    Recipe,
    Roles,
    Seeds,
)
from selfinstruct.recipe.types import Language
from selfinstruct.recipe.variants import LANGUAGES
from selfinstruct.recipe.writing import attributes_to_toml, to_toml

__all__ = [
    "LANGUAGES",
    "PROBABILITY",
    "VARIABLE",
    "Attribute",
    "Categories",
    "Checks",
    "Demos",
    "Documents",
    "Expand",
    "Field",
    "Gate",
    "Importer",
    "Judge",
    "Language",
    "Model",
    "Novelty",
    "Passages",
    "Price",
    "Prompt",
    "Questions",
    "Quota",
    "Recipe",
    "Relation",
    "Roles",
    "Rule",
    "Seeds",
    "Snippets",
    "Step",
    "Tolerances",
    "Verify",
    "Waiver",
    "WaiverFile",
    "accept_unimported",
    "attributes_to_toml",
    "bind",
    "extension_error",
    "frozen_changes",
    "has_variants",
    "import_extension",
    "is_recipe",
    "is_reference",
    "load_recipe",
    "parse_recipe",
    "recipe_name",
    "shown_url",
    "to_toml",
]
