"""Pictures of the arm: they show what they should, the same every time, and are proper SVG."""

from __future__ import annotations

import base64
import xml.etree.ElementTree as ElementTree

from llmos_nb.domains.robotics.arm import ARM
from llmos_nb.domains.robotics.desk import DESK
from llmos_nb.domains.robotics.gate import Gate, Ruling
from llmos_nb.domains.robotics.motion import Motion, plan
from llmos_nb.domains.robotics.picture import Picture, arm_picture
from llmos_nb.domains.robotics.scene import Scene
from llmos_nb.domains.robotics.state import State
from llmos_nb.domains.robotics.things import THINGS
from llmos_nb.domains.robotics.ways import way_to
from llmos_nb.domains.robotics.zones import Box, CapsuleZone, Cylinder, Sphere

REST = State(ARM.home, (0.0,) * 6, ARM.home_opening)


def judged(place: tuple[float, float, float]) -> tuple[Motion, Ruling]:
    motion = plan(ARM, ARM.home, list(way_to(ARM, ARM.home, place)))
    return motion, Gate(ARM, DESK).check(motion, REST)


def drawn(place: tuple[float, float, float]) -> Picture:
    motion, ruling = judged(place)
    return arm_picture(
        ARM,
        DESK,
        ARM.home,
        opening=0.08,
        things=THINGS,
        motion=motion,
        ruling=ruling,
        title=f"It says: {ruling.reason}",
    )


def test_a_picture_is_svg_in_an_image_with_the_same_in_words() -> None:
    shown = drawn((0.45, -0.60, 0.30))._repr_mimebundle_()
    assert "glass pane" in shown["text/plain"]
    page = ElementTree.fromstring(shown["text/html"])
    assert page.tag == "img" and page.attrib["alt"] == shown["text/plain"]
    svg = ElementTree.fromstring(base64.b64decode(page.attrib["src"].split(",", 1)[1]))
    assert svg.tag.endswith("svg") and "glass pane" in svg.attrib["aria-label"]


def test_it_is_the_same_every_time() -> None:
    assert drawn((0.45, -0.60, 0.30)) == drawn((0.45, -0.60, 0.30))


def test_only_a_refused_motion_has_a_ghost_and_a_cross() -> None:
    free, refused = drawn((0.45, -0.30, 0.30)).svg, drawn((0.45, -0.60, 0.30)).svg
    assert 'r="9"' in refused and 'r="9"' not in free
    assert refused.count('stroke-opacity="0.24"') == 2 * len(ARM.links) and "0.24" not in free


def test_the_way_is_drawn_free_up_to_where_it_would_hit() -> None:
    refused = drawn((0.45, -0.60, 0.30)).svg
    assert refused.count("<polyline") == 4  # free and not, in two views
    assert drawn((0.45, -0.30, 0.30)).svg.count("<polyline") == 2


def test_every_kind_of_zone_can_be_drawn_and_odd_names_do_no_harm() -> None:
    scene = Scene(
        zones=(
            Box("<b>&\"'", (0.4, 0.3, 0.1), (0.1, 0.1, 0.2), yaw=0.7),
            Sphere("ball", (0.5, -0.2, 0.3), 0.05),
            CapsuleZone("rod", (0.2, 0.2, 0.2), (0.4, 0.2, 0.4), 0.02),
            Cylinder("can", (0.3, -0.4, 0.1), 0.05, 0.2),
        )
    )
    picture = arm_picture(ARM, scene, ARM.home, opening=0.02, title="</svg><script>")
    texts = [element.text for element in ElementTree.fromstring(picture.svg).iter() if element.tag.endswith("text")]
    assert {"<b>&\"'", "ball", "rod", "can", "</svg><script>"} <= set(texts)
