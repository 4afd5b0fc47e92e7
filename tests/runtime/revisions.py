"""Databases as older MLflows left them, empty."""

import sqlalchemy
from alembic import command
from alembic.script import ScriptDirectory
from mlflow.store.db import utils
from mlflow.store.tracking.dbmodels.initial_models import Base

CONFIG = utils._get_alembic_config("")
# The revisions of the installed MLflow from the newest down, as Alembic orders them.
HEAD, *OLDER = [script.revision for script in ScriptDirectory.from_config(CONFIG).walk_revisions()]


def make_old(where: dict[str, str], target: str) -> None:
    """Fill a database with the tables that MLflow had at an older revision."""
    place = (where["PGHOST"], int(where["PGPORT"]), where["PGDATABASE"])
    url = sqlalchemy.URL.create("postgresql+psycopg2", where["PGUSER"], where["PGPASSWORD"], *place)
    engine = sqlalchemy.create_engine(url)
    Base.metadata.create_all(engine)
    with engine.begin() as connection:
        CONFIG.attributes["connection"] = connection
        command.upgrade(CONFIG, target)
    engine.dispose()
