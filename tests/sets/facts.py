"""Goals and the facts that bear on them, written before the threshold was chosen: what the memory hook is judged by."""

from __future__ import annotations

from typing import Final

__all__ = ["BEARS_TOO", "FACTS", "GOALS", "OTHER_FACTS", "OTHER_GOALS", "UNRELATED"]

#: Facts of one workspace by a short name.
FACTS: Final = {
    "marker": "stations.csv writes -999 where no temperature was measured",
    "mass": "In penguins.csv body_mass_g is missing for two penguins, one on Torgersen and one on Biscoe",
    "torgersen": "The island Torgersen was visited in the first season only",
    "tz": "The timestamps in sensor_log.parquet are local time in Oslo, not UTC",
    "fiscal": "Our fiscal year starts in April",
    "colour": "Ana wants every chart in the report with the colour-blind palette 'viridis'",
    "units": "The wind speed columns of the weather tables are in knots",
    "transpile": "Transpile circuits with optimization_level=3 before running them on the lab simulator",
    "gripper": "The gripper of the left arm opens at most 85 mm",
    "customer": "customer_id 4711 is a test account; leave it out of revenue",
    "vat": "Prices in orders.csv include 25 % VAT",
    "delim": "Exports from the old ERP use ';' as the separator and ',' as decimal point",
    "pet": "Maria's dog is called Bruno",
    "deadline": "The quarterly review is on the 14th of March",
    "german": "Write answers about the survey in German",
    "seed": "Use seed 20 for train/test splits of the churn model",
    "db": "The warehouse database is read-only between 2 and 4 in the morning",
    "python": "The production servers run Python 3.11",
    "outlier": "Sensor 7 was broken in week 23; its readings are to be ignored",
    "paper": "The palmer penguins data were collected by Kristen Gorman near Palmer Station",
}  # fmt: skip

#: Goals with the facts that bear on them; the second set of names may come too and is not counted.
GOALS: Final = [
    ("What is the mean temperature in stations.csv?", {"marker"}, set()),
    ("Plot the temperature of every station in stations.csv by month", {"marker"}, {"units"}),
    ("Mean body mass of Adelie penguins in penguins.csv", {"mass"}, {"paper"}),
    ("Which penguins in penguins.csv have no body_mass_g?", {"mass"}, {"paper"}),
    ("How many penguins were seen on Torgersen?", {"torgersen", "mass"}, {"paper"}),
    ("Resample sensor_log.parquet to hours and plot the last week", {"tz"}, {"outlier"}),
    ("Sum the revenue of each fiscal year in orders.csv", {"fiscal", "vat"}, {"customer"}),
    ("Total revenue per customer_id, largest first", {"customer"}, {"fiscal", "vat"}),
    ("Draw a bar chart for the report with a palette that everyone can see", {"colour"}, set()),
    ("Convert the wind speed in the weather table to metres per second", {"units"}, set()),
    ("Transpile the GHZ circuit and run it on the lab simulator", {"transpile"}, set()),
    ("Move the left gripper to 60 mm", {"gripper"}, set()),
    ("Compute net prices without VAT from orders.csv", {"vat"}, set()),
    ("Read the ERP export and sum the amounts", {"delim"}, set()),
    ("What is the name of Maria's dog?", {"pet"}, set()),
    ("When is the quarterly review?", {"deadline"}, set()),
    ("Summarize the survey answers in two sentences", {"german"}, set()),
    ("Train the churn model and report its accuracy on the test split", {"seed"}, {"customer"}),
    ("Plot the readings of sensor 7 by week", {"outlier"}, {"tz"}),
    ("Who collected the palmer penguins?", {"paper"}, {"mass"}),
]  # fmt: skip

#: Goals that none of the facts bears on.
UNRELATED: Final = [
    "What is 17 plus 4?",
    "Compute the first 8 prime numbers",
    "Hello, who are you?",
    "Write a haiku about the sea to haiku.txt",
    "Sort the list words by length and print the first ten",
    "Fit a line to x and y and plot the residuals",
    "Create a 3-qubit GHZ state circuit",
    "Load cars.csv and plot horsepower against weight",
    "How many rows and columns has df?",
    "Rename all files in photos so that the date comes first",
    "Download the titles of the latest ten papers on graph networks",
    "Draw the Mandelbrot set with 200 iterations",
    "Make a pandas DataFrame with 5 random rows and save it to random.csv",
    "Which words are most frequent in moby_dick.txt?",
    "Explain what a decorator is, with an example",
    "Solve the equation x**2 - 5*x + 6 = 0",
    "Plot sin and cos from 0 to 2 pi",
    "Group titanic.csv by class and show the survival rate",
    "Create a haiku-poet agent that writes beautiful haikus",
    "Show the correlation matrix of iris.csv as a heatmap",
    "Delete temp.txt",
    "Convert 25 degrees Celsius to Fahrenheit",
    "Simulate 1000 throws of two dice and draw a histogram",
    "Join customers.csv and cities.csv on city",
    "Drive the rover two metres forward and turn right",
]  # fmt: skip

#: Written after the threshold was chosen, to see that it holds elsewhere; with goals of its own.
OTHER_FACTS: Final = {
    "glucose": "patients.xlsx gives glucose in mmol/L for the Basel clinic and in mg/dL for all others",
    "leap": "The astronomy group counts days as Julian dates",
    "pump": "Pump P-301 was replaced in May; earlier vibration data are from the old one",
    "rover": "The rover slips on gravel: plan 10 % more distance there",
    "licence": "Photos by Berg are not licensed for print",
    "qubits": "Qubit 4 of the device ibm_osaka has a readout error of 8 %",
    "holiday": "The shop is closed on the first Monday of each month",
    "style": "Titles of figures are in sentence case, without a full stop",
    "backup": "Backups of the lab notebooks go to the NAS every Friday",
    "encoding": "Addresses in members.csv are in Latin-1, not UTF-8",
    "exchange": "Convert foreign invoices with the ECB rate of the invoice date",
    "aliases": "The variable sst means sea surface temperature in degrees Celsius",
}  # fmt: skip
OTHER_GOALS: Final = [
    ("Average glucose per clinic in patients.xlsx", {"glucose"}, set()),
    ("Plot the vibration of pump P-301 over the last two years", {"pump"}, set()),
    ("Plan a path for the rover across the gravel field", {"rover"}, set()),
    ("Run the circuit on ibm_osaka and correct readout errors", {"qubits"}, set()),
    ("Daily sales of the shop in March", {"holiday"}, set()),
    ("Count the members per town in members.csv", {"encoding"}, set()),
    ("Sum the foreign invoices of 2025 in euros", {"exchange"}, set()),
    ("Draw a map of sst for July", {"aliases"}, set()),
    ("Choose ten photos by Berg for the printed brochure", {"licence"}, set()),
    ("When was the last backup of the lab notebooks?", {"backup"}, set()),
]  # fmt: skip

#: Goals unrelated to the first set of facts that a fact of the second one does bear on.
BEARS_TOO: Final = {"Drive the rover two metres forward and turn right": "rover"}
