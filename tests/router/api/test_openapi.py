from typing import Any

import pytest
from jsonschema import Draft202012Validator, ValidationError  # type: ignore[import-untyped]  # it ships no types

from router.api.examples import ANSWERS, BODIES
from router.api.openapi import document
from router.api.rest.cases import ACTS
from router.api.routes import DESCRIBED
from router.contract.config import Role
from tests.suites.api_bench import ApiBench

DOCUMENT = document(DESCRIBED)
SCHEMAS = DOCUMENT["components"]["schemas"]


def check(name: str, value: object) -> None:
    schema = {"$ref": f"#/components/schemas/{name}", "components": {"schemas": SCHEMAS}}
    Draft202012Validator(schema).validate(value)


async def test_every_route_is_in_the_document_and_nothing_else(bench: ApiBench) -> None:
    served = {
        (route.method, route.resource.canonical)
        for route in bench.server.app.router.routes()
        if route.resource is not None and route.method != "HEAD"
    }
    served.remove(("POST", "/v1/cases/{case}/{act}"))
    served |= {("POST", f"/v1/cases/{{case}}/{act}") for act in ACTS}
    described = {(method.upper(), path) for path, methods in DOCUMENT["paths"].items() for method in methods}
    assert described == served


async def test_the_document_is_served_to_everybody(bench: ApiBench) -> None:
    status, found = await bench.get("/openapi.json")
    assert (status, found["openapi"]) == (200, "3.1.0")
    assert found["paths"].keys() == DOCUMENT["paths"].keys()


def test_every_schema_is_one_and_every_reference_leads_somewhere() -> None:
    for schema in SCHEMAS.values():
        Draft202012Validator.check_schema(schema)
    references = set(_references(DOCUMENT))
    assert references
    assert {name.rpartition("/")[2] for name in references} <= SCHEMAS.keys()


def _references(part: Any) -> list[str]:
    if isinstance(part, dict):
        own = [part["$ref"]] if isinstance(part.get("$ref"), str) else []
        return own + [found for value in part.values() for found in _references(value)]
    if isinstance(part, list | tuple):
        return [found for value in part for found in _references(value)]
    return []


@pytest.mark.parametrize("name", sorted(BODIES))
def test_each_example_of_a_body_is_valid(name: str) -> None:
    check(f"{name}Body", BODIES[name])


@pytest.mark.parametrize("name", sorted(ANSWERS))
def test_each_example_of_an_answer_is_valid(name: str) -> None:
    check(name, ANSWERS[name])


def test_every_act_has_an_example() -> None:
    posts = [entry for entry in DESCRIBED if entry.body is not None]
    assert {entry.body.__name__ for entry in posts if entry.body} == BODIES.keys()
    assert len([entry for entry in posts if entry.path.startswith("/v1/cases/{case}/")]) == len(ACTS)


def test_a_body_without_what_it_needs_is_not_valid() -> None:
    with pytest.raises(ValidationError):
        check("ReplyBody", {})
    with pytest.raises(ValidationError):
        check("ReplyBody", {"text": "a", "case": "c"})


def test_operation_ids_are_unique_and_every_path_parameter_is_declared() -> None:
    operations = [found for methods in DOCUMENT["paths"].values() for found in methods.values()]
    names = [found["operationId"] for found in operations]
    assert len(set(names)) == len(names)
    for path, methods in DOCUMENT["paths"].items():
        for found in methods.values():
            declared = {one["name"] for one in found["parameters"] if one["in"] == "path"}
            assert declared == {part[1:-1] for part in path.split("/") if part.startswith("{")}


def test_only_the_document_the_links_take_no_key() -> None:
    open_paths = [path for path, methods in DOCUMENT["paths"].items() if methods.get("get", {}).get("security") == []]
    assert sorted(open_paths) == ["/openapi.json", "/v1/blobs/{token}"]


async def test_real_answers_fit_their_schemas(bench: ApiBench) -> None:
    lead = bench.key(Role.SUPERVISOR)
    await bench.advisor("minji")
    case = await bench.write()
    answers = {
        "CasePage": f"/v1/cases/{case}",
        "QueuesPage": "/v1/queues",
        "LinePage": "/v1/queues/delivery/cases",
        "AdvisorsPage": "/v1/advisors",
        "AdvisorView": "/v1/advisors/minji",
        "MeView": "/v1/me",
        "OperationView": f"/v1/cases/{case}/operations/x",
    }
    for name, path in answers.items():
        status, found = await bench.get(path, lead)
        assert status == 200
        check(name, found)
    _, found = await bench.post(f"/v1/cases/{case}/note", lead, {"text": "x"})
    check("ActView", found)
    check("Problem", (await bench.get("/v1/cases/none", lead))[1])
