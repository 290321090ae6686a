"""Tasks on a SQLite database."""

from __future__ import annotations

from typing import Final

from task import Steps, Task, Values, cell
from worlds import library

__all__ = ["TASKS"]

_OPEN: Final = ("import sqlite3", 'connection = sqlite3.connect("library.db")')
_IDS: Final = {"Ada": 1, "Ben": 2, "Cleo": 3, "O'Brien": 4, "Eve": 5}


def _text(value: str) -> str:
    return value.replace("'", "''")


def _loans_of(v: Values) -> Steps:
    return [
        cell(
            *_OPEN,
            'query = """',
            "SELECT COUNT(*) FROM loans JOIN members ON members.id = loans.member_id",
            f"WHERE members.name = '{_text(v['name'])}' AND loans.year = {v['year']}",
            '"""',
            "loans = connection.execute(query).fetchone()[0]",
            "connection.close()",
            f'print(f"{v["name"]} borrowed {{loans}} books in {v["year"]}")',
        )
    ]


def _most_borrowed(v: Values) -> Steps:
    return [
        cell(
            *_OPEN,
            'query = "SELECT title, COUNT(*) FROM loans JOIN books ON books.id = book_id '
            f"WHERE genre = '{v['genre']}' GROUP BY title ORDER BY 2 DESC, 1 LIMIT {v['n']}\"",
            "top = connection.execute(query).fetchall()",
            "connection.close()",
            "for title, loans in top:",
            '    print(f"{title}: {loans}")',
        )
    ]


def _years(v: Values) -> Steps:
    return [
        cell(
            "import pandas as pd",
            *_OPEN,
            f'books = pd.read_sql("SELECT title, year FROM books WHERE year BETWEEN {v["first"]} AND {v["last_year"]} '
            'ORDER BY year", connection)',
            "connection.close()",
            "books",
        )
    ]


def _add_book(v: Values) -> Steps:
    return [
        cell(
            *_OPEN,
            "connection.execute(",
            '    "INSERT INTO books (title, author, genre, year, copies) VALUES (?, ?, ?, ?, ?)",',
            f'    ("{v["title"]}", "{v["author"]}", "{v["genre"]}", {v["year"]}, {v["copies"]}),',
            ")",
            "connection.commit()",
            "connection.close()",
            f'print("added {v["title"]} ({v["year"]})")',
        )
    ]


def _days_by(v: Values) -> Steps:
    return [
        cell(
            "import pandas as pd",
            *_OPEN,
            f'query = "SELECT books.{v["column"]}, ROUND(AVG(days), 1) AS mean_days FROM loans '
            f"JOIN books ON books.id = book_id JOIN members ON members.id = member_id "
            f"WHERE members.city = '{v['city']}' GROUP BY books.{v['column']} ORDER BY books.{v['column']}\"",
            f"days_by_{v['column']} = pd.read_sql(query, connection)",
            "connection.close()",
            f"days_by_{v['column']}",
        )
    ]


def _forget(v: Values) -> Steps:
    return [
        cell(
            "import sqlite3",
            'with sqlite3.connect("library.db") as connection:',
            f"    print(connection.execute(\"SELECT id FROM members WHERE name = '{_text(v['name'])}'\").fetchall())",
        ),
        cell(
            'with sqlite3.connect("library.db") as connection:',
            f'    connection.execute("DELETE FROM loans WHERE member_id = {_IDS[v["name"]]}")',
            "connection.close()",
        ),
    ]


def _copies(v: Values) -> Steps:
    return [
        cell(
            *_OPEN,
            f"connection.execute(\"UPDATE books SET copies = {v['n']} WHERE title = '{v['title']}'\")",
            "connection.commit()",
            f"left = connection.execute(\"SELECT copies FROM books WHERE title = '{v['title']}'\").fetchone()[0]",
            "connection.close()",
            "left",
        )
    ]


TASKS: Final = (
    Task(
        "loans of a member",
        (
            "How many books did {name} borrow in {year} according to library.db?",
            "Count the loans of {name} in {year} in library.db",
            "In library.db, how many loans are there by {name} for {year}?",
        ),
        (
            {"name": "Ada", "year": 2022},
            {"name": "Ben", "year": 2023},
            {"name": "Cleo", "year": 2024},
            {"name": "O'Brien", "year": 2022},
            {"name": "Eve", "year": 1999},
        ),
        _loans_of,
        library,
        trap="a name with a quote",
        answer="{last}.",
    ),
    Task(
        "most borrowed",
        (
            "List the {n} most borrowed books of the genre {genre} in library.db",
            "Which {n} books of the genre {genre} are lent most often in library.db?",
            "From library.db, show the top {n} of the genre {genre} by loans",
        ),
        (
            {"n": 2, "genre": "novel"},
            {"n": 1, "genre": "poetry"},
            {"n": 2, "genre": "horror"},
            {"n": 3, "genre": "novel"},
            {"n": 5, "genre": "stories"},
        ),
        _most_borrowed,
        library,
        trap="n equals the column number that is ordered by, in both directions",
    ),
    Task(
        "books of some years",
        (
            "Show the books in library.db from {first} to {last_year}",
            "Which books of library.db were published between {first} and {last_year}?",
            "List books published from {first} until {last_year} in library.db",
        ),
        (
            {"first": 1800, "last_year": 1900},
            {"first": 1970, "last_year": 1990},
            {"first": 1914, "last_year": 1914},
            {"first": 1990, "last_year": 1999},
            {"first": 1975, "last_year": 1970},
        ),
        _years,
        library,
        trap="the same year twice, and years the wrong way round",
    ),
    Task(
        "add a book",
        (
            'Add "{title}" by {author} ({year}, {genre}) with {copies} copies to library.db',
            'library.db needs the {genre} "{title}" of {year} by {author}, {copies} copies',
            'Insert {copies} copies of the {genre} "{title}" ({author}, {year}) into library.db',
        ),
        (
            {"title": "Orlando", "author": "Virginia Woolf", "genre": "novel", "year": 1928, "copies": 3},
            {"title": "Howl", "author": "Allen Ginsberg", "genre": "poetry", "year": 1956, "copies": 1},
            {"title": "1984", "author": "George Orwell", "genre": "novel", "year": 1949, "copies": 5},
            {"title": "The Years", "author": "Virginia Woolf", "genre": "novel", "year": 1937, "copies": 2},
            {"title": "It", "author": "Stephen King", "genre": "horror", "year": 1986, "copies": 1986},
        ),
        _add_book,
        library,
        trap="a title that looks like a year, a number that equals the year",
    ),
    Task(
        "mean days of loans",
        (
            "Show the mean days of loans by {column} for members from {city} in library.db",
            "For members who live in {city}, how long are loans on average by {column}? Use library.db",
            "From library.db: average days of loans per {column}, only members of {city}",
        ),
        (
            {"column": "genre", "city": "Leeds"},
            {"column": "author", "city": "York"},
            {"column": "title", "city": "Hull"},
            {"column": "genre", "city": "York"},
            {"column": "colour", "city": "Leeds"},
        ),
        _days_by,
        library,
        trap="a column that is not there",
        refuse=frozenset({4}),
    ),
    Task(
        "forget a member's loans",
        (
            "Delete the loans of {name} from library.db",
            "Remove all loans by {name} in library.db",
            "library.db should have no loans of {name} any more",
        ),
        ({"name": "Ada"}, {"name": "Ben"}, {"name": "Cleo"}, {"name": "O'Brien"}, {"name": "Eve"}),
        _forget,
        library,
        trap="the second step has a number that the first one showed",
        refuse=frozenset({2, 3, 4}),
    ),
    Task(
        "set copies",
        (
            "Set the copies of {title} to {n} in library.db",
            "In library.db, we have {n} copies of {title} now: change it",
            "Change the number of copies of {title} in library.db to {n}",
        ),
        (
            {"title": "Emma", "n": 7},
            {"title": "Kindred", "n": 2},
            {"title": "Jazz", "n": 0},
            {"title": "North", "n": 12},
            {"title": "Moby Dick", "n": 3},
        ),
        _copies,
        library,
        trap="a book that is not there",
        refuse=frozenset({4}),
        answer="{title} has {last} copies.",
    ),
)
