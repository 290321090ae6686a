"""The arm as a MuJoCo model, written from the same table that the kinematics and the gate read.

Every link is a capsule of the same segment and radius and every zone a shape of the same size, so that MuJoCo's own
collision check can be asked whether the gate is right.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from xml.sax.saxutils import quoteattr

from llmos_nb.domains.robotics.arm import ARM, Arm, Link
from llmos_nb.domains.robotics.zones import Box, CapsuleZone, Cylinder, Sphere, Zone

__all__ = ["mjcf"]


def mjcf(arm: Arm = ARM, zones: Iterable[Zone] = (), *, world: str = "", extra: str = "", floor: float = 0.0) -> str:
    """An MJCF document: bodies ``frame1`` …, joints and geoms named as in ``arm``, motors named as the joints.

    Each finger is a body of its own with a slide joint ``<link>_slide`` from 0 to the arm's opening. Zones are geoms
    ``zone:<name>`` that nothing bounces off. ``world`` is put into the world's body (objects, lights, cameras), ``extra``
    beside it (sensors, keyframes).
    """
    lines = [
        f"<mujoco model={quoteattr(arm.name)}>",
        '<compiler angle="radian" autolimits="true"/>',
        '<option timestep="0.002" integrator="implicitfast"/>',
        '<visual><global offwidth="1280" offheight="960"/></visual>',
        '<default><geom density="600"/><default class="zone">'
        '<geom contype="0" conaffinity="0" rgba="0.86 0.2 0.2 0.35" group="3"/></default></default>',
        "<worldbody>",
        '<light pos="0.6 -0.8 2" dir="-0.2 0.3 -1" diffuse="0.8 0.8 0.8"/>',
        f'<geom name="floor" type="plane" pos="0 0 {floor!r}" size="2 2 0.1" rgba="0.93 0.93 0.91 1"/>',
        *(_geom(link) for link in arm.links if link.frame == 0),
    ]
    for number, joint in enumerate(arm.joints, 1):
        limits = f"{joint.low!r} {joint.high!r}"
        lines += [
            f'<body name="frame{number}" pos="{_text(joint.offset)}" gravcomp="1">',
            f"<joint name={quoteattr(joint.name)} axis={_quoted(joint.axis)} range={quoteattr(limits)} "
            'damping="0.2" armature="0.02"/>',
        ]
        lines += [
            _geom(link) if not any(link.slide) else _finger(arm, link) for link in arm.links if link.frame == number
        ]
    lines.append(f'<site name="tool" pos="{_text(arm.tool)}" size="0.004" rgba="0.1 0.6 0.1 1"/>')
    lines += ["</body>"] * len(arm.joints)
    lines += [_zone(zone) for zone in zones]
    lines += [world, "</worldbody>", "<contact>"]
    names = {link.name for link in arm.links}
    apart = {frozenset({arm.links[a].name, arm.links[b].name}) for a, b in arm.pairs()}
    body = {link.name: _body(link) for link in arm.links}
    done = set()
    for one in sorted(names):
        for other in sorted(names):
            pair = tuple(sorted((body[one], body[other])))
            if one < other and pair[0] != pair[1] and frozenset({one, other}) not in apart and pair not in done:
                done.add(pair)
                lines.append(f'<exclude body1="{pair[0]}" body2="{pair[1]}"/>')
    lines += ["</contact>", "<actuator>"]
    lines += [f"<motor name={quoteattr(joint.name)} joint={quoteattr(joint.name)}/>" for joint in arm.joints]
    lines += [f'<motor name="{finger.name}" joint="{finger.name}_slide"/>' for finger in arm.fingers]
    lines += ["</actuator>", extra, "</mujoco>"]
    return "\n".join(lines)


def _body(link: Link) -> str:
    return link.name if any(link.slide) else f"frame{link.frame}" if link.frame else "world"


def _text(numbers: Iterable[float]) -> str:
    return " ".join(repr(float(number)) for number in numbers)


def _quoted(numbers: Iterable[float]) -> str:
    return quoteattr(_text(numbers))


def _geom(link: Link) -> str:
    colour = "0.25 0.28 0.33 1" if link.frame % 2 == 0 else "0.95 0.55 0.15 1"
    return (
        f'<geom name={quoteattr(link.name)} type="capsule" fromto="{_text((*link.start, *link.end))}" '
        f'size="{link.radius!r}" rgba="{colour}"/>'
    )


def _finger(arm: Arm, link: Link) -> str:
    long = math.dist(link.slide, (0.0, 0.0, 0.0))
    axis = [part / long for part in link.slide]
    return (
        f'<body name={quoteattr(link.name)} gravcomp="1"><joint name={quoteattr(link.name + "_slide")} type="slide" '
        f'axis="{_text(axis)}" range="0 {arm.opening * long!r}" damping="5" armature="0.1"/>{_geom(link)}</body>'
    )


def _zone(zone: Zone) -> str:
    begin = f'<geom class="zone" name={quoteattr("zone:" + zone.name)}'
    match zone:
        case Box():
            size = _text(edge / 2 for edge in zone.size)
            turn = f"{math.cos(zone.yaw / 2)!r} 0 0 {math.sin(zone.yaw / 2)!r}"
            return f'{begin} type="box" pos="{_text(zone.center)}" size="{size}" quat="{turn}"/>'
        case Sphere():
            return f'{begin} type="sphere" pos="{_text(zone.center)}" size="{zone.radius!r}"/>'
        case Cylinder():
            size = f"{zone.radius!r} {zone.height / 2!r}"
            return f'{begin} type="cylinder" pos="{_text(zone.center)}" size="{size}"/>'
        case CapsuleZone() if zone.start == zone.end:
            return f'{begin} type="sphere" pos="{_text(zone.start)}" size="{zone.radius!r}"/>'
        case CapsuleZone():
            return f'{begin} type="capsule" fromto="{_text((*zone.start, *zone.end))}" size="{zone.radius!r}"/>'
