"""The labs for which users must log in, proved as those of test_labs.py, on the node that other tests use, too."""

import pathlib

import pytest

from lab_proof import proves
from runner.course import SECURED, Lab, all_labs
from secured_cluster import SecuredCluster


@pytest.mark.parametrize("lab", [lab for lab in all_labs() if lab.cluster == SECURED], ids=lambda lab: lab.name)
def test_a_secured_lab_fails_untouched_and_wrong_and_passes_solved(lab: Lab, secured_node: SecuredCluster,
                                                                   tmp_path: pathlib.Path) -> None:
    proves(lab, secured_node, tmp_path)
