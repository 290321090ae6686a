"""Words of prose that can turn false while no number in it changes, and words that cannot.

Prose that makes such a claim is only repeated over other values where the program itself said the word, or where the
goal's own condition is restated. Prose known from one run alone may in addition use no word that is neither here,
nor in the goal, nor in the program or its outputs.
"""

from __future__ import annotations

import re
from typing import Final

__all__ = ["CLAIMS", "NEUTRAL", "RESTATED", "is_claim", "is_question", "selects"]


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


#: Conditions: a goal that says one of these had it computed, so that prose may say it again.
RESTATED: Final = _words(
    """
    above after all among any around before below between beyond both each either every except
    exceeding exceeds exceed first last least less longer missing more most neither never next no none not only over
    second single than third top bottom under until up without within zero one two three four five six seven eight
    nine ten eleven twelve
    """
)

#: Comparisons, superlatives, trends, shares, judgements, counts in words, relations, certainty.
CLAIMS: Final = RESTATED | _words(
    """
    available certified climb climbed climbing climbs credit deliverable overdrawn plunge plunged rallied rally sank
    sink sinks slump slumped soar soared sold solvent tumble tumbled unavailable verified
    absent accurate additional agree agrees alike almost already also although always another appear appears
    approximately associated association asymmetric bad balanced because best better big bigger biggest
    but cause caused causes certain certainly change changed changes changing clean clear clearly close closely closer
    closest cluster clustered clusters coincide common commonly comparable compare compared comparison complete
    completely confirm confirmed confirms confirming consistent consistently constant contains contradict contrast
    convergence converged converges correct correctly correlate correlated correlates correlation couple cyclic
    decline declined declines declining decrease decreased decreases decreasing despite deviate deviates differ
    difference different differs dip dips diverge diverged dominant dominate dominated dominates double doubled
    doubles dozen drop drops dropped dropping due earlier earliest early edge empty enough entire entirely equal
    equally equals essentially evenly evident exact exactly exceptional excellent expected extreme extremely fail
    failed fails fair fairly fall falling falls far fast faster fastest fell few fewer fewest fine fit fits flat
    fluctuate follow followed follows frequent frequently full fully furthermore gap general generally good gradual
    gradually great greater greatest grew grow growing grown grows growth half halved halves hardly heavier heaviest
    heavily heavy high higher highest highly however identical imbalance imbalanced implies important improve improved
    improvement improves increase increased increases increasing indeed independent indicate indicates inside invalid
    inverse inversely irregular just keep keeps lack lacking lacks large largely larger largest late later latest lead
    leader leading leads left lesser light lighter lightest likely likewise linear linearly little local long longest
    lose loses loss lost low lower lowest main mainly majority many match matched matches meaningful
    merely mild minimal minor minority mixed moderate moderately modest monotonic monotonically mostly much multiple
    narrow near nearly negative negatively negligible nevertheless newer newest noisy nonlinear normal normally
    notable notably noticeable notice numerous obvious obviously occasional odd often older oldest once opposite
    optimal ordinary otherwise outlier outliers outperform outperforms outside overall oscillates pair pass passed
    passes pattern peak peaked peaks perfect perfectly plausible plateau poor poorly popular positive positively
    possible possibly predominantly presumably pretty previous primarily probable probably pronounced proportional
    quadruple quarter quick quicker quickest quite random rank ranked ranks rapid rapidly rare rarely rather reasonable
    reasonably recover recovered recovery regular related relation relationship relative relatively remain remained
    remains remarkable rise risen rises rising robust rose rough roughly safe same scarce seasonal
    seem seems separate separated separates several shallow sharp sharply short shorter shortest shrank shrink shrinks
    shrunk significance significant significantly similar similarly simple since skewed slight slightly slow slower
    slowest slowly small smaller smallest smooth some somewhat spike spikes spread stable stand stands stationary
    steadily steady steep still strong stronger strongest strongly substantial substantially succeed succeeded
    sufficient suggest suggests superior surprising surprisingly surge surged symmetric symmetrical tall taller tallest
    tend tendency tends therefore thick thin thrice thus tie tied ties tight tiny together too towards trend trending
    trends triple triples true twice typical typically unbalanced unchanged underperform unexpected unexpectedly
    uneven uniform uniformly unique unlike unlikely unrelated unstable unusual upward upwards usual usually valid
    varied varies vary vast very virtually volatile wealthiest weak weaker weakest weakly well whereas
    while whole wide wider widest worse worst wrong yes young younger youngest zeroes
    can cannot could may might must shall should will would
    aren couldn didn doesn don hadn hasn haven isn shouldn wasn weren won wouldn
    fourth fifth sixth seventh eighth ninth tenth thirteen fourteen fifteen sixteen seventeen eighteen nineteen
    twenty thirty forty fifty hundred thousand million billion
    """
)

#: Words that report or connect.
NEUTRAL: Final = _words(
    """
    a an the this that these those it its they them their there here which who where when what whose i we you your
    my our is are was were be been being has have had do does did
    of in on at to for from by with as into onto per via and or if so then and/or etc i.e e.g using used use uses
    file files folder folders table tables row rows column columns cell cells value values variable variables number
    numbers count counts counted total totals sum sums mean means average averages median standard deviation variance
    range result results output outputs record records entry entries item items data dataset
    dataframe frame series list lists array index key keys name names type types unit units text line lines word words
    plot plots plotted chart charts figure figures graph graphs picture image images bar bars scatter histogram axis
    axes title label labels legend color colour colors colours shows show showing shown displays display displayed
    drawn draws see following given gives gave give named called computed computes compute calculated
    calculates calculate done finished ready made make makes created create creates written write wrote writes saved
    save saves stored store stores loaded load loads read reads opened grouped group groups sorted sort filtered
    filter filters selected rounded joined merged renamed converted added removed replaced updated run ran runs ran
    finds found find holds hold held respectively successfully now again please note
    code step steps function query database circuit state states qubit qubits gate gates shot shots robot position
    distance angle speed time date day days week weeks month months year years hour hours minute minutes seconds
    percent percentage share ratio rate price prices cost costs amount amounts
    mm cm m km g kg mg s ms h c f k usd eur
    """
)

_QUESTIONS: Final = _words("is are was were do does did has have had can could will would should am isn't doesn't")
#: Words that pick one out of several; ``max`` is no claim where the program printed it, and a choice elsewhere.
_CHOOSES: Final = _words(
    "which who whom whose where when most least top bottom first last next max min maximum minimum"
)
_PART: Final = re.compile(r"[^\W_]+(?:'\w+)?")


def is_claim(word: str) -> bool:
    """Whether ``word`` says something that other values could make false.

    Superlatives and comparatives that no list has are known by their ending.
    """
    low = word.lower()
    if low in NEUTRAL:
        return False
    if low in CLAIMS or any(part in CLAIMS for part in _PART.findall(low) if "_" not in low and "." not in low):
        return True
    return low.isalpha() and len(low) >= 6 and low.endswith(("iest", "ier", "ish"))


def is_question(goal: str) -> bool:
    """Whether ``goal`` asks for a yes or a no: its words are then no condition but the claim itself."""
    words = _PART.findall(goal.lower())
    return bool(words) and (words[0] in _QUESTIONS or "whether" in words or ("or" in words and "not" in words))


def selects(text: str) -> bool:
    """Whether ``text`` asks for one among several: an agent may have picked it by eye out of a table."""
    words = set(_PART.findall(text.lower()))
    return bool(words & _CHOOSES) or any(is_claim(word) for word in words - RESTATED)
