"""Kept model versions: written once, found by name or hash, and told when they cannot be read."""

from __future__ import annotations

from pathlib import Path

import pytest

from identity import Model, load_model
from identity.model import Calibration
from identity.versions import find_version, keep, kept_versions
from onevoice.errors import IdentityError


@pytest.fixture
def calibrated(model: Model) -> Model:
    return model.model_copy(update={"calibration": Calibration(slope=0.9, offset=0.5, labels=60)})


def test_versions_are_numbered_and_never_written_over(tmp_path: Path, model: Model, calibrated: Model) -> None:
    assert keep(model, "person.yaml", tmp_path) == "models/person-1.yaml"
    assert keep(calibrated, "models/person-1.yaml", tmp_path) == "models/person-2.yaml"
    (tmp_path / "models/person-1.yaml").unlink()
    assert keep(model, "models/person-2.yaml", tmp_path) == "models/person-3.yaml"
    assert load_model("models/person-2.yaml", tmp_path).calibration == calibrated.calibration


def test_a_version_is_what_it_scores(tmp_path: Path, model: Model, calibrated: Model) -> None:
    name = keep(model.model_copy(update={"trained_on": "elsewhere", "records": 5}), "own.yaml", tmp_path)
    assert load_model(name, tmp_path).version == model.version
    assert load_model(name, tmp_path).records == 5
    assert calibrated.version != model.version


def test_names_and_hashes_find_a_version(tmp_path: Path, calibrated: Model) -> None:
    name = keep(calibrated, "person.yaml", tmp_path)
    for text in (name, "person-1.yaml", "person-1", calibrated.version, calibrated.version[:6]):
        found = find_version(text, tmp_path)
        assert (found.name, found.shipped) == (name, False)
    assert find_version("person", tmp_path).shipped


def test_a_version_that_is_not_there_is_told_with_those_that_are(tmp_path: Path) -> None:
    with pytest.raises(IdentityError, match=r"person-9: no such model version \(there are person.yaml\)"):
        find_version("person-9", tmp_path)


def test_a_version_of_the_project_goes_before_a_shipped_one(tmp_path: Path, model: Model) -> None:
    (tmp_path / "models").mkdir()
    own = tmp_path / keep(model, "x.yaml", tmp_path)
    own.rename(own.with_name("person.yaml"))
    assert find_version("person", tmp_path).name == "models/person.yaml"
    assert find_version("person.yaml", tmp_path).name == "person.yaml", "written as the configuration writes it"


def test_a_file_that_is_no_model_is_listed_with_its_fault(tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "models/bad.yaml").write_text("name: bad", "utf-8")
    bad, *_ = kept_versions(tmp_path)
    assert (bad.name, bad.model) == ("models/bad.yaml", None)
    assert "not a model file" in bad.fault
    with pytest.raises(IdentityError, match="not a model file"):
        find_version("bad", tmp_path)
