"""Renders a Helm chart as `helm template` would, and validates every object that comes out.

chart.py CHART reads values as JSON from standard input and prints one JSON document:
  {"refused": "why the values are refused"} or
  {"objects": [...], "notes": "...", "invalid": [...], "without_schema": [...], "lint": [...]}
"""

import json
import sys

import helm_python as helm
import kubernetes_validate
import yaml

# The oldest that the chart says it works with, and two of those that are supported now.
VERSIONS = ["1.27", "1.34", "1.37"]
RELEASE, NAMESPACE = "timeclock", "provisioning"


def main(path):
    values = json.load(sys.stdin)
    with helm.Chart.load(path) as chart:
        try:
            chart.validate_schema(values)
            rendered = chart.render(values, name=RELEASE, namespace=NAMESPACE)
        except helm.HelmError as error:
            return {"refused": str(error)}
    notes = [text for name, text in rendered.items() if name.endswith("NOTES.txt")]
    objects = [
        thing
        for name, text in sorted(rendered.items())
        if name.endswith(".yaml")
        for thing in yaml.safe_load_all(text)
        if thing
    ]
    invalid, without_schema = [], []
    for thing in objects:
        named = f"{thing['kind']} {thing['metadata']['name']}"
        for version in VERSIONS:
            try:
                kubernetes_validate.validate(thing, version, strict=True)
            except kubernetes_validate.SchemaNotFoundError:
                without_schema.append(thing["kind"])
            except kubernetes_validate.ValidationError as error:
                invalid.append(f"{named}, Kubernetes {version}: {error.message} at {list(error.path)}")
    lint = helm.lint(path, values, strict=True, namespace=NAMESPACE)
    return {
        "objects": objects,
        "notes": notes[0] if notes else "",
        "invalid": invalid,
        "without_schema": sorted(set(without_schema)),
        # 1 is information.
        "lint": [m["error"] for m in lint["messages"] if m["severity"] > 1] + lint["errors"],
    }


json.dump(main(sys.argv[1]), sys.stdout)
