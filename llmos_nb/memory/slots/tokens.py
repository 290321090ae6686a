"""Where a value may begin: one regular expression that takes a goal apart into words, numbers, paths and the rest."""

from __future__ import annotations

import re
from typing import Final

from llmos_nb.memory.slots.dates import DATE, TIME
from llmos_nb.memory.slots.numbers import NUMBER
from llmos_nb.memory.slots.ordinary import words
from llmos_nb.memory.slots.units import CODES

__all__ = ["TOKEN"]

#: Endings of file names that are known without a folder before them.
_ENDINGS: Final = "|".join(
    words("""7z arrow avi bak bash bat bib bin bmp bz2 cfg conf cpp css csv dat db doc docx duckdb dxf env eml fasta fastq
    feather fits geojson gif gpx gz h5 hdf hdf5 htm html ics ini ipynb java jl joblib jpeg jpg js json jsonl kml kmz lock
    log mat md mov mp3 mp4 nc ndjson npy npz ods onnx orc parquet pdb pdf pickle pkl png ppt pptx pq pt pth py qasm qasm3
    qpy r rar rds rdata rst rtf safetensors sas7bdat sav sdf sh shp sql sqlite sqlite3 stl svg tar tex tgz tif tiff tmp
    toml ts tsv txt urdf vcf wav webm webp whl xacro xls xlsm xlsx xml xz yaml yml zip zst dta""")
)
#: Folders that make a path of ``data/raw``; any other two words around a slash are an alternative: "and/or".
_FOLDERS: Final = (
    "assets|bin|build|code|config|data|datasets|dist|docs|downloads|etc|figures|figs|home|images|img|inputs?|lib|logs|"
    "models|notebooks|out|outputs?|plots|projects|reports|results|scripts|src|static|tables|tests|tmp|usr|var|workspace"
)
_IN_PATH: Final = r"[\w.@%+*~=#/-]"
_PATH: Final = rf"""
    (?:[A-Za-z]:[\\/]|\\\\(?=\w))[^\s"'`<>|,;)\]}}?]{{0,255}}(?<=[\w*/\\])
  | (?<![\w)\]}}.~/])(?:~\w{{0,32}}+|\.{{1,2}})?/(?=[\w.*~]){_IN_PATH}{{0,255}}(?<=[\w*/])(?!\w)
  | (?<![\w)\]}}.~/])(?:~\w{{0,32}}+|\.{{1,2}})/(?![\w/])
  | (?!input/output\b)(?i:{_FOLDERS})/{_IN_PATH}{{0,255}}(?<=[\w*/])(?!\w)
  | (?:[\w.@+*-]{{1,100}}+/){{1,20}}+[\w@+*-][\w@+*.-]{{0,100}}\.(?i:{_ENDINGS})(?!\w|\.\w)
  | (?:[\w@+*-]{{1,100}}+/){{2,20}}+[\w@+*-][\w@+*.-]{{0,100}}\.[A-Za-z]\w{{0,7}}(?!\w|\.\w)
  | (?:[A-Za-z_][\w.+-]{{1,100}}+/){{1,20}}+(?=[\s,;!?)]|\.?(?:\s|\Z))
  | [\w*][\w.+*@~-]{{0,120}}\.(?i:{_ENDINGS})(?![\w(=]|\.\w)
"""
_IDENTIFIER: Final = r"""
    (?!\d)\w++(?:\.(?!\d)\w++)+(?!\w)
  | [^\W\d_]{1,10}\d{1,5}+(?:\.\d{1,5}+)+(?!\w)
  | (?!\d)(?=\w*[^\W_])\w*_\w*+
  | (?!Ma?c[A-Z][a-z])(?:[a-z]++[A-Z]|[A-Z][a-z0-9]++[A-Z])\w*+
  | [A-Z][A-Z0-9]+(?:-[A-Z0-9]+)*(?!\w)
  | [^\W\d_]++\d\w*+(?:-\d++)?(?!\w)
"""
#: Alternatives in the order they are tried; the plain word comes first because most of a goal is that.
TOKEN: Final = re.compile(
    rf"""
    (?P<word>[a-z]++)(?=[\s,;!?)]|\.(?:\s|\Z)|\Z)
  | (?P<space>\s++)
  | (?P<quote>["'`“‘„«])
  | (?P<url>[A-Za-z][A-Za-z0-9+.-]{{1,20}}://[^\s<>"'`]++|www\.[\w-]+\.[^\s<>"'`]++)
  | (?P<email>[\w.+-]{{1,64}}@[\w-]{{1,63}}(?:\.[\w-]{{1,63}})++(?<=\w))
  | (?P<path>{_PATH})
  | (?P<uuid>[0-9a-fA-F]{{8}}(?:-[0-9a-fA-F]{{4}}){{3}}-[0-9a-fA-F]{{12}}(?!\w))
  | (?P<date>{DATE})
  | (?P<time>{TIME})
  | (?P<money>(?:(?<![\w)\]}}"'`-])[-−](?=[A-Z$€£¥₹]))?(?P<sign>(?:US|C|A)?[$€£¥₹]|(?:{"|".join(CODES)})(?=[\s\d]))
        [ ]?(?P<amount>[-−]?(?:{NUMBER})))
  | (?P<hex>0(?:[xX][0-9a-fA-F]{{1,40}}+|[bB][01]{{1,100}}+)(?!\w))
  | (?P<version>[0-9]++(?:\.[0-9]++){{2,}}+[\w+]*+)
  | (?P<number>(?:(?<![\w)\]}}"'`-])[-−](?=\.?[0-9]))?(?:{NUMBER}))
  | (?P<times>(?<=[0-9])[x×](?=[0-9]|\b))
  | (?P<identifier>{_IDENTIFIER})
  | (?P<letters>[^\W\d_]++(?:['’][^\W\d_]++)*+)
  | (?P<run>\w++)
  | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)
