"""Units of measure and money: what a number with a unit is in its base unit, exactly.

Only what a finite decimal factor relates shares a base. So these stay apart: km/h and m/s (a factor of 1/3.6), degrees
and radians, degrees Celsius, Fahrenheit and kelvin (offsets), hours and days (a day is a date's step, and ``24h`` and
``1D`` are different bins to pandas), weeks and months, decibels, ``bps`` (basis points, or bits), currencies. ``kB``
and ``KB`` are 1,000 bytes and ``KiB`` is 1,024.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final

from llmos_nb.memory.slots.ordinary import words

__all__ = ["CODES", "SCALES", "SIGNS", "measure"]

_TABLE: Final = """
m: nm 1e-9, µm 1e-6, μm 1e-6, um 1e-6, mm 0.001, cm 0.01, dm 0.1, m 1, km 1000, in 0.0254, ft 0.3048, yd 0.9144, mi 1609.344
m²: mm² 1e-6, cm² 1e-4, m² 1, km² 1e6, m2 1, m^2 1, cm2 1e-4, cm^2 1e-4, km2 1e6, km^2 1e6
m³: cm³ 1e-6, m³ 1, m3 1, m^3 1, cm^3 1e-6
kg: µg 1e-9, mg 1e-6, g 0.001, kg 1, lb 0.45359237, lbs 0.45359237, oz 0.028349523125
s: ns 1e-9, µs 1e-6, μs 1e-6, us 1e-6, ms 0.001, s 1, sec 1, secs 1, min 60, mins 60, h 3600, hr 3600, hrs 3600
Hz: Hz 1, kHz 1e3, MHz 1e6, GHz 1e9, THz 1e12
B: B 1, kB 1e3, KB 1e3, MB 1e6, GB 1e9, TB 1e12, PB 1e15, KiB 1024, MiB 1048576, GiB 1073741824, TiB 1099511627776
bit: kbit 1e3, Mbit 1e6, Gbit 1e9
bps: bps 1
bit/s: bit/s 1, kbps 1e3, Mbps 1e6, Gbps 1e9, kbit/s 1e3, Mbit/s 1e6, Gbit/s 1e9
B/s: kB/s 1e3, KB/s 1e3, MB/s 1e6, GB/s 1e9
K: K 1, mK 0.001, µK 1e-6
°C: °C 1, ℃ 1, degC 1
°F: °F 1, ℉ 1, degF 1
deg: ° 1, deg 1
rad: rad 1, mrad 0.001
m/s: m/s 1, cm/s 0.01, mm/s 0.001, km/s 1000
km/h: km/h 1, kmh 1, kph 1, mph 1.609344
m/s²: m/s² 1, m/s^2 1, m/s2 1
deg/s: deg/s 1, °/s 1
rad/s: rad/s 1
rpm: rpm 1
V: V 1, mV 0.001, kV 1000, µV 1e-6
A: A 1, mA 0.001, µA 1e-6
W: W 1, mW 0.001, kW 1000, MW 1e6, GW 1e9
Wh: Wh 1, kWh 1000, MWh 1e6, GWh 1e9
J: J 1, kJ 1000, MJ 1e6
eV: eV 1, meV 0.001, keV 1e3, MeV 1e6, GeV 1e9
N: N 1, kN 1000, mN 0.001
Nm: Nm 1
Pa: Pa 1, hPa 100, kPa 1000, MPa 1e6
ohm: Ω 1, Ω 1, kΩ 1000, MΩ 1e6
L: L 1, mL 0.001, ml 0.001, cl 0.01, dl 0.1
mol: mol 1, mmol 0.001
dB: dB 1
dBm: dBm 1
px: px 1
dpi: dpi 1
fps: fps 1
pt: pt 1
bp: bp 1
ppm: ppm 1
"""
#: Names in full, in any case, with a plural of their own.
_NAMES: Final = """
m: nanometer 1e-9, nanometre 1e-9, micrometer 1e-6, micrometre 1e-6, micron 1e-6, millimeter 0.001, millimetre 0.001,
 centimeter 0.01, centimetre 0.01, meter 1, metre 1, kilometer 1000, kilometre 1000, inch 0.0254, inches 0.0254,
 foot 0.3048, feet 0.3048, yard 0.9144, mile 1609.344
kg: milligram 1e-6, gram 0.001, kilogram 1, kilo 1, tonne 1000
s: nanosecond 1e-9, microsecond 1e-6, millisecond 0.001, second 1, minute 60, hour 3600
day: day 1, week 7
month: month 1, year 12, yr 12
Hz: hertz 1, kilohertz 1e3, megahertz 1e6, gigahertz 1e9, hz 1
B: byte 1, kilobyte 1e3, megabyte 1e6, gigabyte 1e9, terabyte 1e12
bit: bit 1
K: kelvin 1
°C: celsius 1
°F: fahrenheit 1
deg: degree 1
rad: radian 1
V: volt 1
A: ampere 1, amp 1
W: watt 1, kilowatt 1000, megawatt 1e6
J: joule 1
N: newton 1
Pa: pascal 1
ohm: ohm 1
L: liter 1, litre 1, milliliter 0.001, millilitre 0.001
dB: decibel 1
px: pixel 1
"""
#: Symbols that are words or letters by themselves: units only where they touch the number, as in ``5in``.
_GLUED: Final = frozenset({"in", "us", "A", "B", "PB", "pt"})
#: The ISO 4217 codes that are read, and signs of currencies. ``$`` is taken for US dollars, ``¥`` stays a sign.
CODES: Final = words(
    "USD EUR GBP CHF JPY CNY INR CAD AUD NZD SEK NOK DKK PLN CZK HUF BRL MXN ZAR KRW SGD HKD BTC ETH"
)
SIGNS: Final = {
    "$": "USD", "US$": "USD", "€": "EUR", "£": "GBP", "₹": "INR", "¥": "¥", "C$": "CAD", "A$": "AUD", "dollar": "USD",
    "dollars": "USD", "euro": "EUR", "euros": "EUR",
}  # fmt: skip
#: Words and letters that multiply a number. ``10M`` is ten million; a space makes it something else.
SCALES: Final = {
    "k": 10**3, "K": 10**3, "M": 10**6, "bn": 10**9, "thousand": 10**3, "million": 10**6, "billion": 10**9,
    "trillion": 10**12,
}  # fmt: skip


def _read(table: str) -> dict[str, tuple[str, Decimal]]:
    units = {}
    for line in table.replace("\n ", " ").strip().splitlines():
        base, _, members = line.partition(": ")
        for member in members.split(","):
            name, factor = member.split()
            units[name] = (base, Decimal(factor))
    return units


_SYMBOLS: Final = _read(_TABLE)
_WORDS: Final = _read(_NAMES)
_WORDS.update({f"{name}s": unit for name, unit in list(_WORDS.items()) if name not in {"foot", "feet", "inches"}})
_UNIT: Final = re.compile(
    r"(?P<space>[ \u00a0-]?)(?P<unit>°[CF]?(?:/s)?|[℃℉]|[A-Za-zµμΩΩ]++(?:/[A-Za-z]++)?(?:\^[23]|[23²³])?)(?![\w^/²³°])"
)
_SCALE_OF_DEGREES: Final = re.compile(r" (?:(?P<c>(?i:celsius)|C)|(?P<f>(?i:fahrenheit)|F))(?!\w)")


def measure(goal: str, end: int, *, in_words: bool = False) -> tuple[str, Decimal, int] | None:
    """The unit after a number that ends at ``end``: base unit, factor to it, and where the unit ends.

    After a hyphen (``30-day``) and after number words (``in_words``) it must be more than one letter.
    """
    match = _UNIT.match(goal, end)
    if match is None:
        return None
    unit, space = match["unit"], match["space"]
    found = _SYMBOLS.get(unit)
    if found is not None and ((space and unit in _GLUED) or ((space == "-" or in_words) and len(unit) == 1)):
        return None
    if found is None:
        found = _WORDS.get(unit.lower())
        if found is None or (not space and len(unit) < 3):
            return None
    stop = match.end()
    if found[0] == "deg":
        scale = _SCALE_OF_DEGREES.match(goal, stop)
        if scale is not None:
            return "°C" if scale["c"] else "°F", Decimal(1), scale.end()
    return found[0], found[1], stop
