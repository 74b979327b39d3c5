"""What /openapi.json says of /v1, held against the answers to queries that are generated from it."""

import hypothesis
import jsonschema
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from f1_assets.api.endpoints import endpoints
from f1_assets.api.examples import EXAMPLES

pytestmark = pytest.mark.xdist_group("api")

NAMES = sorted(endpoints())
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
GENERATED = hypothesis.settings(
    max_examples=8,
    derandomize=True,
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def schema(api):
    return schemathesis.openapi.from_url(f"{api.url}/openapi.json")


@pytest.fixture(scope="module")
def document(api):
    return api.get("/openapi.json").json()


@pytest.fixture(scope="module")
def session():
    with requests.Session() as session:
        yield session


@pytest.mark.parametrize("name", NAMES)
def test_whatever_is_asked_the_answer_is_one_that_the_schema_describes(schema, session, name):
    @GENERATED
    @given(case=schema[f"/v1/{name}"]["GET"].as_strategy(), operator=st.sampled_from(["", ">", "<"]))
    def ask(case, operator):
        # All filters at once leave no row; the operator is part of the name, which OpenAPI cannot say.
        asked = list(case.query.items())[:2]
        options = ("csv", "limit", "offset")
        case.query = {field if field in options else f"{field}{operator}": value for field, value in asked}
        case.query.setdefault("meeting_key", "latest")
        case.call_and_validate(session=session, checks=CHECKS)

    ask()


@pytest.mark.parametrize("name", NAMES)
def test_rows_and_their_example_are_as_the_schema_says(api, document, name):
    content = document["paths"][f"/v1/{name}"]["get"]["responses"]["200"]["content"]["application/json"]
    rows = api.get(f"/v1/{name}?meeting_key=latest&limit=500").json()
    assert rows
    strict = {**content["schema"], "items": {**content["schema"]["items"], "additionalProperties": False}}
    for answer in (rows, content["example"]):
        jsonschema.Draft202012Validator(strict, format_checker=jsonschema.FormatChecker()).validate(answer)


@pytest.mark.parametrize("name", NAMES)
def test_the_examples_of_all_parameters_are_a_query(api, document, name):
    parameters = document["paths"][f"/v1/{name}"]["get"]["parameters"]
    for each in parameters:
        jsonschema.validate(each["example"], each["schema"])
    examples = {each["name"]: str(each["example"]) for each in parameters}
    answer = requests.get(f"{api.url}/v1/{name}", params=examples, timeout=30)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json"), answer.text


def test_there_is_an_example_of_each_field_and_of_no_other():
    assert {*EXAMPLES} == {field for endpoint in endpoints().values() for field in endpoint.all_fields}
