"""The endpoint under requests made from its contract."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from capacity.calls.emulator import serve

from .test_emulator import KEY, some_calls

CONTRACT = Path(__file__).parents[2] / "shared" / "api" / "openapi.yaml"


@pytest.mark.skipif(not CONTRACT.exists(), reason="the contract is not beside the checkout")
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("mode", ["positive", "negative"])
def test_keeps_the_contract_under_a_schema_driven_fuzzer(mode):
    """Some request, within or against the schema, would break the emulator or get an answer of another shape."""
    import schemathesis
    from hypothesis import HealthCheck, Phase, given, settings
    from hypothesis import strategies as st
    from schemathesis import GenerationMode
    from schemathesis.checks import not_a_server_error
    from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance

    operation = schemathesis.openapi.from_path(CONTRACT)["/v1/{account_id}/{project_id}/conversations/concurrency"][
        "GET"
    ]
    seen = Counter()

    @settings(
        deadline=None,
        max_examples=80,
        suppress_health_check=list(HealthCheck),
        database=None,
        phases=[Phase.explicit, Phase.generate],
    )
    @given(
        case=operation.as_strategy(GenerationMode(mode)),
        window=st.booleans(),
        drop=st.sets(st.sampled_from(["variant_id", "variant_name", "slice_by"])),
    )
    def fuzz(case, window, drop):
        case.path_parameters = {"account_id": "ACCOUNT-t53y16r3", "project_id": "PROJECT-f76d75c2"}
        if window and mode == "positive":  # or else hardly any two random times are within a week
            case.query |= {"start_time": "2026-07-01T14:00:00Z", "end_time": "2026-07-01T15:00:00Z"}
            case.query = {k: v for k, v in case.query.items() if k not in drop}
        response = case.call(base_url=running.url, headers={"x-api-key": KEY.encode()})
        seen[response.status_code] += 1
        assert response.status_code in {200, 400, 405, 501} | ({401, 403, 404} if mode == "negative" else set())
        if response.status_code != 200:
            assert response.json()["error_message"]
        checks = [content_type_conformance, response_schema_conformance]
        case.validate_response(
            response, checks=checks if response.status_code == 501 else [*checks, not_a_server_error]
        )

    with serve(some_calls(), account="ACCOUNT-t53y16r3", project="PROJECT-f76d75c2", key=KEY) as running:
        fuzz()
    assert seen[400] > 5, seen
    assert mode == "negative" or seen[200] > 5, seen
