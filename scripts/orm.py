"""What `tortoise makemigrations` reads: the tables of all domains. See [tool.tortoise] in pyproject.toml."""

from api.wiring.domains import MODELS
from core.database import orm_config
from core.settings import CoreSettings

TORTOISE_ORM = orm_config(CoreSettings(), MODELS)
