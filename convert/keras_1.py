"""Rewrites the configuration of a Keras 1 model as Keras 2 would have written it. The weights need no change."""

from typing import Any

from convert.errors import ConversionError

CLASSES = {
    "AtrousConvolution2D": "Conv2D",
    "Convolution2D": "Conv2D",
    "SeparableConvolution2D": "SeparableConv2D",
}
MERGES = {
    "ave": "Average",
    "concat": "Concatenate",
    "max": "Maximum",
    "mul": "Multiply",
    "sum": "Add",
}
NAMES = {
    "atrous_rate": "dilation_rate",
    "bias": "use_bias",
    "border_mode": "padding",
    "dim_ordering": "data_format",
    "input_dtype": "dtype",
    "nb_filter": "filters",
    "output_dim": "units",
    "p": "rate",
    "sigma": "stddev",
    "subsample": "strides",
}
ORDERS = {"tf": "channels_last", "th": "channels_first"}
# Only training, or the layer in front, determines them.
UNUSED = ("activity_regularizer", "init", "input_dim", "input_length", "mode")
UNUSED_ENDINGS = ("_constraint", "_init", "_regularizer")


def upgrade_keras_1(value: Any) -> Any:
    """Return a configuration of Keras 1 with the classes and names of Keras 2. What it does not know stays as it is."""
    if isinstance(value, list):
        return [upgrade_keras_1(item) for item in value]
    if not isinstance(value, dict):
        return value
    upgraded = {key: upgrade_keras_1(item) for key, item in value.items()}
    kind, config = value.get("class_name"), value.get("config")
    if not isinstance(kind, str) or not isinstance(config, dict) or "layers" in config:
        return upgraded
    return upgraded | _upgrade_layer(kind, config)


def _upgrade_layer(kind: str, config: dict[str, Any]) -> dict[str, Any]:
    mode = config.get("mode")
    if kind == "Merge" and isinstance(mode, str) and mode in MERGES:
        axis = {"axis": config.get("concat_axis", -1)} if mode == "concat" else {}
        return {"class_name": MERGES[mode], "config": {"name": config.get("name"), **axis}}
    if kind == "BatchNormalization" and mode in (1, 2):
        raise ConversionError(
            f"'{str(config.get('name'))[:80]}' (BatchNormalization): mode {mode} of Keras 1 normalises by the photos "
            "at hand, not by those of the training, which newer Keras cannot do: train the network again with mode 0"
        )
    kept = {
        NAMES.get(key, key): item
        for key, item in config.items()
        if key not in UNUSED and not key.endswith(UNUSED_ENDINGS)
    }
    if "nb_row" in kept:
        kept["kernel_size"] = [kept.pop("nb_row"), kept.pop("nb_col", None)]
    order = kept.get("data_format")
    if isinstance(order, str):
        kept["data_format"] = ORDERS.get(order, order)
    return {"class_name": CLASSES.get(kind, kind), "config": kept}
