"""machine_test with a timer that what is heard puts off."""

from __future__ import annotations

import unittest
from typing import Any

from fsm_rtc.conformance import machine_test
from tests.conformance.lamp_chart import HandLamp, Lamp, LampDriver


def failures(kind: type[HandLamp]) -> list[str]:
    driver = type("Driver", (LampDriver,), {"kind": kind})
    case: Any = machine_test(Lamp, driver, context=lambda driver: driver).TestCase
    result = unittest.TestResult()
    unittest.defaultTestLoader.loadTestsFromTestCase(case).run(result)
    return [text for _, text in (*result.failures, *result.errors)]


def test_a_right_implementation_passes() -> None:
    assert failures(HandLamp) == []


def test_one_that_is_wrong_by_a_tenth_of_a_second_is_found() -> None:
    class Hasty(HandLamp):
        lasts = 9.9

    (found,) = failures(Hasty)
    assert "still 'on'" in found
    assert "observed" in found
