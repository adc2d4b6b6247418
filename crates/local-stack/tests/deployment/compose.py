"""Reads a Compose file by the Compose specification; prints nothing and ends with 0 when it is one, else says why not."""

import json
import sys

import compose_spec
import yaml

with open(sys.argv[1], encoding="utf-8") as file:
    # The specification's own parser knows no merge keys, which YAML's does.
    merged = yaml.safe_load(file)
compose = compose_spec.PyCompose.from_json(json.dumps(merged))
compose.validate()
