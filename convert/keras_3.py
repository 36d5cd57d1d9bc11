"""Rewrites the configuration of a model of an early Keras 3 as today's would have written it."""

import re
from typing import Any

# Since then, a list of one output is not the output itself.
LISTS_COUNT = (3, 11)
# Since then, RandomCrop no longer resizes at inference.
CROPS_NOTHING = (3, 5)
VERSION = re.compile(r"(\d{1,4})\.(\d{1,4})")


def is_early(version: str) -> bool:
    """Whether this version of Keras 3 wrote configurations that today's reads otherwise."""
    return (3,) <= _parse(version) < LISTS_COUNT


def upgrade_keras_3(value: Any, version: str) -> Any:
    """Return the configuration that ``version``, an early one, wrote with today's meaning."""
    if isinstance(value, list):
        return [upgrade_keras_3(item, version) for item in value]
    if not isinstance(value, dict):
        return value
    upgraded = {key: upgrade_keras_3(item, version) for key, item in value.items()}
    kind, config = value.get("class_name"), upgraded.get("config")
    if not isinstance(config, dict):
        return upgraded
    if kind == "Functional":
        for key in ("input_layers", "output_layers"):
            if _is_list_of_one(config.get(key)):
                (config[key],) = config[key]
    elif kind == "RandomRotation":
        config.pop("value_range", None)
    elif kind == "RandomCrop" and _parse(version) < CROPS_NOTHING:
        kept = {key: config[key] for key in ("name", "height", "width", "data_format") if key in config}
        upgraded |= {"class_name": "Resizing", "registered_name": None}
        upgraded["config"] = kept | {"crop_to_aspect_ratio": True}
    return upgraded


def _parse(version: str) -> tuple[int, ...]:
    match = VERSION.match(version)
    return (int(match[1]), int(match[2])) if match else ()


def _is_list_of_one(value: Any) -> bool:
    """Whether ``value`` is a list of one [name, node, tensor]."""
    return isinstance(value, list) and len(value) == 1 and isinstance(value[0], list)
