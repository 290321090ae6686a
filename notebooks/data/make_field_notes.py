"""Makes field-notes/*.csv: real measurements, written down as untidily as tables come from the field.

    pip install palmerpenguins && python make_field_notes.py

The measurements are those of the raw table in the palmerpenguins package (Gorman, Williams and Fraser 2014, CC0 1.0). How
they are written is made up here, with a fixed seed: several spellings, marks for missing values, units, three ways to
write a date, rows copied twice.
"""

import csv
import random
from collections import defaultdict
from datetime import date
from importlib.resources import files
from pathlib import Path

chance = random.Random(2014)


def one_of(usual, *others, share=0.2):
    return chance.choice(others) if chance.random() < share else usual


def measured(text, unit="", comma=False):
    if text == "NA":
        return chance.choice(["n/a", "-", "?"])
    text = text.replace(".", ",") if comma else text
    return f"{text} {unit}" if unit and chance.random() < 0.4 else text


def dated(text):
    day = date.fromisoformat(text)
    return one_of(text, f"{day:%d.%m.%Y}", f"{day.day} {day:%b} {day.year}", share=0.5)


notes = defaultdict(list)
raw = files("palmerpenguins").joinpath("data/penguins-raw.csv").read_text(encoding="utf-8")
for row in csv.DictReader(raw.splitlines()):
    species, sex = row["Species"].split()[0], row["Sex"].lower()
    line = [
        row["Individual ID"],
        one_of(species, species.upper(), f" {species.lower()}", f"{species} "),
        dated(row["Date Egg"]),
        measured(row["Culmen Length (mm)"], comma=True),
        "-999" if row["Flipper Length (mm)"] == "NA" else one_of(row["Flipper Length (mm)"], "-999", share=0.03),
        measured(row["Body Mass (g)"], "g"),
        chance.choice(["?", ""]) if sex == "na" else one_of(sex, sex.upper(), sex.title()),
    ]
    day = date.fromisoformat(row["Date Egg"])
    lines = notes[f"{row['Island'].lower()}-{day.year}"]
    lines += [line, line] if chance.random() < 0.06 else [line]

folder = Path(__file__).parent / "field-notes"
folder.mkdir(exist_ok=True)
for name, lines in notes.items():
    with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter=";", lineterminator="\n")
        writer.writerow(["bird", "species", "egg", "bill_mm", "flipper_mm", "mass_g", "sex"])
        writer.writerows(lines)
