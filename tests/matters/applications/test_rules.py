"""Numbers, forms, masks and files."""

import io
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from matters.applications.rules import (
    LAST_SERIAL,
    application_number,
    material_of,
    media_type_of,
    serial_text,
    shown,
)
from tests.fakes.papers import PDF
from tests.fakes.shipped import shipped_matters

CODE = "1" * 31


def test_the_published_sample_has_the_shape_of_our_numbers() -> None:
    sample = "12441500196720244T3442199806003202206230068"
    assert application_number(sample[:31], date(2022, 6, 23), 68) == sample


@pytest.mark.parametrize(("serial", "text"), [(1, "0001"), (9999, "9999"), (10_000, "A000"), (10_035, "A00Z")])
def test_after_9999_serials_go_on_in_base_36(serial: int, text: str) -> None:
    assert serial_text(serial) == text


@given(st.integers(1, LAST_SERIAL - 1))
def test_serials_rise_and_never_repeat(serial: int) -> None:
    assert serial_text(serial) < serial_text(serial + 1)
    assert len(application_number(CODE, date(2026, 3, 10), serial)) == 43


@pytest.mark.parametrize("serial", [0, -1, LAST_SERIAL + 1])
def test_beyond_the_last_serial_there_is_none(serial: int) -> None:
    with pytest.raises(ValueError, match="serial"):
        serial_text(serial)


def test_the_last_serial_is_all_letters() -> None:
    assert serial_text(LAST_SERIAL) == "ZZZZ"


@pytest.mark.parametrize(
    ("value", "masked"),
    [
        ("瞿漫林", "瞿**"),
        ("19900000005", "199****0005"),
        ("999999199502286280", "9999**********6280"),
        ("示例市东湖区梧桐路9号2栋1501室", "示例市东湖区" + "*" * 12),
        ("x", "x"),
    ],
)
def test_masks(value: str, masked: str) -> None:
    assert shown(value, full=False)[0] == masked
    assert shown(value, full=True) == (value, False)


@given(st.text(min_size=2, max_size=60))
def test_a_mask_keeps_the_length_and_hides_at_least_half(value: str) -> None:
    told, hidden = shown(value, full=False)
    assert isinstance(told, str)
    assert len(told) == len(value)
    assert hidden
    assert told.count("*") >= min(len(value) // 2, 4)


def picture(kind: str, *, size: tuple[int, int] = (32, 24)) -> bytes:
    """A real picture of one colour."""
    file = io.BytesIO()
    Image.new("RGB", size, (120, 40, 200)).save(file, kind)
    return file.getvalue()


JPEG, PNG = picture("JPEG"), picture("PNG")


def test_files_are_known_by_their_content() -> None:
    assert [media_type_of(each) for each in (JPEG, PNG, PDF)] == ["image/jpeg", "image/png", "application/pdf"]


@pytest.mark.parametrize(
    "content",
    [b"", b"GIF89a", b"MZ\x90", b"<svg/>", JPEG[:-2], PNG[:20], PDF[:9], b"\0" + JPEG, b"PK\x03\x04", b"#!/bin/sh"],
)
def test_other_and_broken_files_are_nothing(content: bytes) -> None:
    assert media_type_of(content) is None


@given(st.binary(max_size=200))
def test_no_content_breaks_the_look_at_it(content: bytes) -> None:
    assert media_type_of(content) in {None, "image/jpeg", "image/png", "application/pdf"}


@pytest.mark.parametrize(
    ("matter", "meant"),
    [
        ("residence-permit-endorsement", "proof-of-residence"),
        ("pension-eligibility", "identity"),
        ("graduate-settlement", "identity"),
    ],
)
def test_a_file_without_a_name_is_for_the_one_material_that_it_can_be_for(matter: str, meant: str) -> None:
    materials = next(each.matter for each in shipped_matters() if each.matter.slug == matter).materials
    assert material_of(materials, None) == (meant, [])
    assert material_of(materials, "identity") == ("identity", [])


def test_a_name_is_needed_where_several_may_be_meant_and_has_to_be_one_of_them() -> None:
    matter = next(each.matter for each in shipped_matters() if each.matter.slug == "residence-permit-endorsement")
    proof = next(each for each in matter.materials if each.code == "proof-of-residence")
    [missing] = material_of([*matter.materials, replace(proof, code="other")], None)[1]
    assert (missing.pointer, missing.code) == ("/material", "missing")
    [unknown] = material_of(matter.materials, "holiday-picture")[1]
    assert (unknown.pointer, unknown.code) == ("/material", "unknown")
    [nothing_to_give] = material_of([], None)[1]
    assert nothing_to_give.code == "missing"
