"""
Write units with the standard library's sqlite3: the control that proves the tools can fail.

usage: python -m workloads.plain DATABASE JOURNAL SYNCHRONOUS UNITS [naive]

Each unit is four rows and one fact in one transaction. With ``naive`` each row is committed on
its own, which any honest judge must find torn.
"""

from __future__ import annotations

import json
import os
import sqlite3
import sys
from pathlib import Path

SCHEMA = """
CREATE TABLE IF NOT EXISTS daily_logs (id INTEGER PRIMARY KEY AUTOINCREMENT, event_data TEXT);
CREATE TABLE IF NOT EXISTS memory_entries (id INTEGER PRIMARY KEY AUTOINCREMENT, content TEXT);
"""
PARTS = 5


def write_unit(connection: sqlite3.Connection, tag: str, *, naive: bool) -> None:
    """Write the five parts of one unit."""
    if not naive:
        connection.execute("BEGIN IMMEDIATE")
    for part in range(PARTS - 1):
        event = {"unit": tag, "part": part, "parts": PARTS, "pad": "x" * (200 * part)}
        connection.execute("INSERT INTO daily_logs (event_data) VALUES (?)", [json.dumps(event)])
    connection.execute(
        "INSERT INTO memory_entries (content) VALUES (?)",
        [f"unit {tag} part {PARTS - 1} of {PARTS}"],
    )
    if not naive:
        connection.execute("COMMIT")


def main() -> None:
    """Write the units asked for, marking each before and after."""
    database, journal, synchronous, units, *rest = sys.argv[1:]
    marker = os.open(Path(database).parent / "marker", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    connection = sqlite3.connect(database, isolation_level=None)
    connection.execute(f"PRAGMA journal_mode={journal}").fetchone()
    connection.execute(f"PRAGMA synchronous={synchronous}")
    connection.execute("PRAGMA wal_autocheckpoint=100")
    for statement in SCHEMA.strip().splitlines():
        connection.execute(statement)
    for number in range(int(units)):
        tag = f"u{number}"
        os.write(marker, f"start {tag}\n".encode())
        write_unit(connection, tag, naive=bool(rest))
        os.write(marker, f"ack {tag}\n".encode())
    connection.close()


if __name__ == "__main__":
    main()
