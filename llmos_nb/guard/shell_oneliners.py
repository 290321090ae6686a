"""Programs in Perl, Ruby, JavaScript, R … on a command line: which only compute and print, told by the words they use.

None of these languages is parsed here. So the other way round: a program passes where every word outside its texts and
patterns is one that computes or prints, or one that it gives a meaning itself; anything else may do anything.
"""

from __future__ import annotations

import re
from typing import Final

from llmos_nb.guard.verdict import names

__all__ = ["only_computes"]

#: Words that compute, print, or shape a program, in any of the languages.
_HARMLESS: Final = names(
    "print printf println say puts p pp echo print_r dump cat console log error warn info table dir stdout write message "
    "if elif else elseif elsif unless then end do while until for foreach in of each next last break continue "
    "return begin done "
    "my our local var let const def fn func function sub lambda new true false nil null None undef undefined NaN "
    "Inf and or not "
    "eq ne lt gt le ge cmp x xor q qq qw m s y tr g i gi BEGIN END ARGV argv NR NF NA TRUE FALSE NULL TRUE "
    "Math abs min max sum mean median sd round floor ceil ceiling sqrt exp log10 log2 pow sin cos tan pi PI random "
    "rand srand "
    "int float str bool Integer Float String Array Hash Object Number Boolean Symbol BigInt Int Rational Complex "
    "length len size count keys values entries map filter reduce sort sort_by reverse join split push pop shift "
    "unshift slice "
    "splice concat flat flatten uniq unique zip range seq rep vector c list paste paste0 sprintf format fmt "
    "number_format nchar "
    "toString to_s to_i to_f to_a parseInt parseFloat JSON stringify parse generate encode json_encode json_decode "
    "upcase downcase "
    "uc lc ucfirst lcfirst toUpperCase toLowerCase capitalize strip trim chomp chop chars bytes lines substr "
    "substring index "
    "indexOf includes include has match test replace replaceAll gsub scan charCodeAt ord chr hex oct repeat "
    "padStart padEnd "
    "isNaN isFinite typeof instanceof defined exists Date now time localtime gmtime strftime getTime toISOString "
    "head tail str summary dim nrow ncol names colnames rownames matrix data frame apply sapply lapply table cumsum "
    "diff rev "
    "which ifelse is na any all collect inject inspect times step upto then tap lazy first take drop "
    "version VERSION RUBY_VERSION PHP_VERSION sessionInfo phpversion versions R using stdin STDIN use strict warnings "
    "List Util POSIX main math string table ipairs pairs tostring tonumber type nan inf typeof display show io "
)
_TEXTS: Final = re.compile(r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'", re.S)
#: Substitutions and patterns: ``s/a/b/g``, ``tr/a/b/``, ``m{…}``, ``/…/``. The flag ``e`` runs what it puts in.
_SUBSTITUTION: Final = re.compile(r"(?<![\w$])(?:s|tr|y)([/|#!,])(?:\\.|(?!\1).)*\1(?:\\.|(?!\1).)*\1([a-z]*)", re.S)
_PATTERN: Final = re.compile(r"(?<![\w)\]])m?/(?:\\.|[^/\n])+/[a-z]*")
_WORD: Final = re.compile(r"(?<![\w$@%&#])[A-Za-z_]\w*")
#: What runs, reads or includes without a word.
_SIGNS: Final = re.compile(r"`|<[\w\s$]*>|%x|\bqx\b|#!|#\{|\$\{|\$\(|@\{|<\?|\\x|=>\s*\\?&|&\w|&\$|->\(")


def only_computes(program: str) -> bool:
    """Whether nothing in it can reach beyond its own output, as far as its words tell."""
    for found in _SUBSTITUTION.finditer(program):
        if "e" in found.group(2):
            return False
    if any(re.search(r"#\{|\$\{|\$\(|@\{", text) for text in _TEXTS.findall(program)):
        return False
    bare = _TEXTS.sub(" ", program)
    bare = _PATTERN.sub(" ", _SUBSTITUTION.sub(" ", bare))
    if _SIGNS.search(bare):
        return False
    own = set(re.findall(r"(?<![.\w$@%])([A-Za-z_]\w*)\s*(?:=(?![=~>])|<-|\|)", bare))
    own |= {name for pair in re.findall(r"\|\s*(\w+)|\b(\w+)\s*=>", bare) for name in pair}
    own |= set(re.findall(r"\bfor\s+(\w+)\s+in\b", bare))
    return all(len(word) == 1 or word in _HARMLESS or word in own for word in _WORD.findall(bare))
