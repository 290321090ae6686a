"""The arm's table, its kinematics, and the MuJoCo model made from the same table."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from llmos_nb.domains.robotics.arm import ARM
from llmos_nb.domains.robotics.errors import ArmError
from llmos_nb.domains.robotics.kinematics import forward, jacobian, solve, tool_pose
from llmos_nb.domains.robotics.mjcf import mjcf
from llmos_nb.domains.robotics.zones import Box, CapsuleZone, Cylinder, Sphere

LOW = np.array([joint.low for joint in ARM.joints])
HIGH = np.array([joint.high for joint in ARM.joints])
DOWN = (0.0, 0.0, -1.0)


def random_poses(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(LOW, HIGH, (count, len(LOW)))


def test_the_table_makes_sense() -> None:
    names = [link.name for link in ARM.links]
    assert len(set(names)) == len(names)
    for joint in ARM.joints:
        assert math.dist(joint.axis, (0, 0, 0)) == 1.0
        assert joint.low < joint.high
        assert min(joint.speed, joint.acceleration) > 0
    assert all(pair <= set(names) for pair in ARM.touching)
    assert all(joint.low <= angle <= joint.high for joint, angle in zip(ARM.joints, ARM.home, strict=True))


def test_at_home_the_tool_points_down_in_front_of_the_base() -> None:
    place, turn = tool_pose(ARM, ARM.home)
    assert place == pytest.approx([0.45, 0.0, 0.30], abs=1e-4)
    assert turn[:, 2] == pytest.approx(DOWN, abs=1e-5)


def test_many_poses_at_once_are_the_poses_one_by_one() -> None:
    poses = random_poses(7)
    together = forward(ARM, poses, 0.03)
    for number, pose in enumerate(poses):
        alone = forward(ARM, pose, 0.03)
        assert np.allclose(together.ends[number], alone.ends[0], atol=1e-15)
        assert np.allclose(together.turns[number], alone.turns[0], atol=1e-15)


def test_the_jacobian_is_the_tool_motion() -> None:
    for pose in random_poses(20):
        rows, step = jacobian(ARM, pose), 1e-6
        for joint in range(len(LOW)):
            moved = np.array(pose)
            moved[joint] += step
            place, turn = tool_pose(ARM, pose)
            place2, turn2 = tool_pose(ARM, moved)
            spin = turn2 @ turn.T
            turning = np.array([spin[2, 1] - spin[1, 2], spin[0, 2] - spin[2, 0], spin[1, 0] - spin[0, 1]]) / 2
            assert (place2 - place) / step == pytest.approx(rows[:3, joint], abs=1e-5)
            assert turning / step == pytest.approx(rows[3:, joint], abs=1e-5)


def test_mujoco_has_the_same_arm() -> None:
    mujoco = pytest.importorskip("mujoco")
    zones = [
        Box("wall", (0.4, 0.1, 0.3), (0.4, 0.005, 0.6), 0.3),
        Sphere("ball", (0.5, 0.5, 0.5), 0.01),
        Cylinder("post", (0.5, -0.5, 0.2), 0.1, 0.4),
        CapsuleZone("rod", (0.2, 0.2, 0.2), (0.4, 0.4, 0.4), 0.01),
    ]
    model = mujoco.MjModel.from_xml_string(mjcf(ARM, zones))
    data = mujoco.MjData(model)
    rng = np.random.default_rng(5)
    count = len(LOW)
    assert [model.joint(joint.name).qposadr[0] for joint in ARM.joints] == list(range(count))
    assert model.jnt_range[:count] == pytest.approx(np.stack([LOW, HIGH], 1), abs=1e-12)
    for pose in random_poses(1000):
        opening = rng.uniform(0, ARM.opening)
        data.qpos[:count], data.qpos[count:] = pose, opening / 2
        mujoco.mj_kinematics(model, data)
        ours = forward(ARM, pose, opening)
        for number, link in enumerate(ARM.links):
            geom = model.geom(link.name).id
            along = data.geom_xmat[geom].reshape(3, 3)[:, 2] * model.geom_size[geom][1]
            theirs = data.geom_xpos[geom] + np.array([[-1.0], [1.0]]) * along
            off = min(np.abs(theirs - ours.ends[0, number]).max(), np.abs(theirs[::-1] - ours.ends[0, number]).max())
            assert off < 1e-9
            assert model.geom_size[geom][0] == link.radius
        assert np.abs(data.site("tool").xpos - tool_pose(ARM, pose)[0]).max() < 1e-9


def test_every_pose_the_arm_can_have_is_found_again() -> None:
    for pose in random_poses(25):
        place, turn = tool_pose(ARM, pose)
        solution = solve(ARM, place, rotation=turn)
        assert solution.reached
        found, turned = tool_pose(ARM, solution.q)
        assert np.abs(found - place).max() < 1e-4
        assert np.abs(turned - turn).max() < 2e-3
        assert (np.array(solution.q) >= LOW).all()
        assert (np.array(solution.q) <= HIGH).all()


def test_thirty_centimetres_to_the_right_of_home_can_be_reached() -> None:
    solution = solve(ARM, (0.45, -0.30, 0.30), axis=DOWN)
    place, turn = tool_pose(ARM, solution.q)
    assert solution.reached
    assert place == pytest.approx([0.45, -0.30, 0.30], abs=1e-4)
    assert turn[:, 2] == pytest.approx(DOWN, abs=1e-3)
    assert solution == solve(ARM, (0.45, -0.30, 0.30), axis=DOWN)


@pytest.mark.parametrize("place", [(2.0, 0.0, 0.3), (0.0, 0.0, -0.9), (0.9, 0.6, 0.9)])
def test_what_is_out_of_reach_is_told(place: tuple[float, float, float]) -> None:
    solution = solve(ARM, place, axis=DOWN)
    assert not solution.reached
    assert solution.reason
    assert solution.position_error > 0.01


@pytest.mark.parametrize(
    "bad", [(0.4, 0.0), (0.4, 0.0, math.nan), (math.inf, 0, 0), "abc", None, (True, 0, 0), (10**400, 0, 0)]
)
def test_a_place_that_is_none_is_refused(bad: object) -> None:
    with pytest.raises(ArmError, match="three finite numbers"):
        solve(ARM, bad)  # type: ignore[arg-type]


def test_a_rotation_that_is_none_is_refused() -> None:
    with pytest.raises(ArmError, match="3 by 3"):
        solve(ARM, (0.4, 0, 0.3), rotation=np.diag([1.0, 1.0, -1.0]))
    with pytest.raises(ArmError, match="direction"):
        solve(ARM, (0.4, 0, 0.3), axis=(0, 0, 0))


def test_an_arm_of_seven_joints_works_too() -> None:
    extra = replace(ARM.joints[3], name="upper_roll", offset=(0.0, 0.0, 0.0))
    joints = (*ARM.joints[:2], extra, *ARM.joints[2:])
    links = tuple(replace(link, frame=link.frame + (link.frame > 2)) for link in ARM.links)
    arm = replace(ARM, joints=joints, links=links, home=(0.0, *ARM.home[1:2], 0.0, *ARM.home[2:]))
    assert tool_pose(arm, arm.home)[0] == pytest.approx(tool_pose(ARM, ARM.home)[0], abs=1e-9)
    assert solve(arm, (0.45, -0.30, 0.30), axis=DOWN).reached
