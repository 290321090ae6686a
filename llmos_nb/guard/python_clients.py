"""Libraries that act elsewhere, as data: which of their methods change an account, a cluster or a database.

A command such as ``aws s3 rm`` is asked about; so is ``boto3.client("s3").delete_object(...)``. A method that only looks
(``list_``, ``get_``, ``describe_``, ``find``) is nobody's loss.
"""

from __future__ import annotations

import re
from typing import Final

from llmos_nb.guard.verdict import names

__all__ = ["changes_elsewhere", "drops_rows"]

#: Clients of accounts, clusters, containers and machines elsewhere.
_ACCOUNTS: Final = names(
    "boto3 aiobotocore google.cloud googleapiclient azure kubernetes docker podman github gitlab pygithub huggingface_hub "
    "kaggle slack_sdk tweepy stripe twilio sendgrid dropbox s3fs gcsfs adlfs minio b2sdk fabric asyncssh netmiko libtmux "
    "pyfirmata openstack digitalocean linode_api4 hcloud cloudflare heroku3 jenkins jira atlassian confluent_kafka kafka "
    "pika nats crontab telegram discord notion_client airtable gspread"
)
_ACCOUNT_CHANGES: Final = re.compile(
    r"(delete|destroy|terminate|drop|remove|rm|rmdir|purge|prune|put|upload|create|update|insert|push|publish|send|post|"
    r"patch|replace|scale|stop|kill|run|exec|execute|start|restart|reboot|merge|close|edit|modify|attach|detach|"
    r"restore|revoke|grant|invoke|move|rename|copy|write|command|sudo|produce|basic_publish|chat|complete|submit)(_|$)"
)
#: Databases; a query is looked at where it is text.
_DATABASES: Final = names(
    "redis pymongo motor psycopg psycopg2 asyncpg pymysql MySQLdb mysql.connector pyodbc cassandra neo4j elasticsearch "
    "opensearchpy clickhouse_driver clickhouse_connect snowflake oracledb influxdb_client couchdb"
)
_QUERIED: Final = _DATABASES | {"sqlalchemy"}
_DATABASE_CHANGES: Final = re.compile(
    r"(flushall|flushdb|drop|delete|remove|truncate|shutdown|config_set|eval|script_load|detach_delete|drop_all)(_|$)"
)
_SQL: Final = re.compile(r"(?i)\b(drop|truncate|alter|grant|revoke|delete\s+from|detach\s+delete)\b|\bto\s+program\b")


def changes_elsewhere(name: str) -> bool:
    """Whether a function, named with dots from its module on, changes what is not in the workspace."""
    if _of(name, _ACCOUNTS):
        return _ACCOUNT_CHANGES.match(name.rpartition(".")[2]) is not None
    return _of(name, _DATABASES) and _DATABASE_CHANGES.match(name.rpartition(".")[2]) is not None


def drops_rows(name: str, query: str) -> bool:
    """Whether a query that is handed to a client of a database takes away what is there."""
    return _of(name, _QUERIED) and _SQL.search(query) is not None


def _of(name: str, libraries: frozenset[str]) -> bool:
    first, _, rest = name.partition(".")
    return first in libraries or f"{first}.{rest.partition('.')[0]}" in libraries
