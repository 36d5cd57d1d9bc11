"""Call the service with real clients and print the outcomes: `try_clients.py URL MODEL TOKEN`, photos on stdin."""

import asyncio
import base64
import json
import sys
import warnings
from collections.abc import Callable
from urllib.parse import urlsplit

warnings.filterwarnings("ignore")

import numpy as np  # noqa: E402
from huggingface_hub import InferenceClient  # noqa: E402
from kserve import InferenceRESTClient, InferInput, InferRequest, RESTConfig  # noqa: E402
from tritonclient import http as triton  # noqa: E402

URL, MODEL, TOKEN = sys.argv[1:4]
HEADERS = {"Authorization": f"Bearer {TOKEN}"}
PHOTOS = {name: base64.b64decode(photo) for name, photo in json.load(sys.stdin).items()}

Outcome = object


def outcome(call: Callable[[], Outcome]) -> Outcome:
    """Return what the call returns, or its exception as type, status and text."""
    try:
        return call()
    except Exception as error:
        response = getattr(error, "response", None)
        status = response.status_code if response is not None else int(getattr(error, "status", lambda: 0)() or 0)
        return {"error": type(error).__name__, "status": status, "text": str(error)}


def scenarios(call: Callable[..., Outcome]) -> dict[str, Outcome]:
    """Run the successes and failures that every client meets."""
    return {
        "white": outcome(lambda: call(PHOTOS["white"])),
        "black": outcome(lambda: call(PHOTOS["black"])),
        "damaged": outcome(lambda: call(PHOTOS["damaged"])),
        "large": outcome(lambda: call(PHOTOS["large"])),
        "another model": outcome(lambda: call(PHOTOS["white"], model="another")),
        "no token": outcome(lambda: call(PHOTOS["white"], headers={})),
    }


def hugging_face(photo: bytes, model: str = MODEL, headers: dict[str, str] = HEADERS, **options: int) -> Outcome:
    client = InferenceClient(model=f"{URL}/models/{model}", token=TOKEN if headers else None)
    return [[each.label, each.score] for each in client.image_classification(photo, **options)]


def kserve_v1(photo: bytes, model: str = MODEL, headers: dict[str, str] = HEADERS) -> Outcome:
    async def predict() -> Outcome:
        async with InferenceRESTClient(RESTConfig(protocol="v1")) as client:
            request = {"instances": [{"image_bytes": {"b64": base64.b64encode(photo).decode()}}]}
            return await client.infer(URL, request, model_name=model, headers=headers)

    return asyncio.run(predict())


def kserve_v2(binary: bool) -> Callable[..., Outcome]:
    def call(photo: bytes, model: str = MODEL, headers: dict[str, str] = HEADERS) -> Outcome:
        async def predict() -> Outcome:
            image = InferInput(name="image", shape=[1], datatype="BYTES")
            content = photo if binary else base64.b64encode(photo)
            image.set_data_from_numpy(np.array([content], dtype=object), binary_data=binary)
            parameters = {"binary_data_output": True} if binary else None
            request = InferRequest(model_name=model, infer_inputs=[image], request_id="7", parameters=parameters)
            async with InferenceRESTClient(RESTConfig(protocol="v2")) as client:
                response = await client.infer(URL, request, model_name=model, headers=dict(headers))
            return {"id": response.id, **{each.name: [each.shape, each.data] for each in response.outputs}}

        return asyncio.run(predict())

    return call


def kserve_states() -> Outcome:
    async def ask() -> Outcome:
        async with (
            InferenceRESTClient(RESTConfig(protocol="v1")) as v1,
            InferenceRESTClient(RESTConfig(protocol="v2")) as v2,
        ):
            return [
                await v1.is_model_ready(URL, MODEL),
                await v2.is_server_live(URL),
                await v2.is_server_ready(URL),
                await v2.is_model_ready(URL, MODEL),
                await v2.is_model_ready(URL, "another"),
            ]

    return asyncio.run(ask())


def triton_client() -> triton.InferenceServerClient:
    return triton.InferenceServerClient(urlsplit(URL).netloc)


def triton_infer(binary: bool) -> Callable[..., Outcome]:
    def call(photo: bytes, model: str = MODEL, headers: dict[str, str] = HEADERS, version: str = "") -> Outcome:
        image = triton.InferInput("image", [1], "BYTES")
        content = photo if binary else base64.b64encode(photo)
        image.set_data_from_numpy(np.array([content], dtype=object), binary_data=binary)
        outputs = None if binary else [triton.InferRequestedOutput(name, False) for name in ("label", "scores")]
        with triton_client() as client:
            result = client.infer(model, [image], outputs=outputs, headers=dict(headers), model_version=version)
        tensors = {each["name"]: result.as_numpy(each["name"]) for each in result.get_response()["outputs"]}
        text = np.vectorize(lambda each: each.decode() if isinstance(each, bytes) else each)
        return {
            name: [list(tensor.shape), (text(tensor) if tensor.dtype == object else tensor.astype(float)).tolist()]
            for name, tensor in tensors.items()
        }

    return call


def triton_states() -> Outcome:
    with triton_client() as client:
        model = client.get_model_metadata(MODEL)
        return {
            "ready": [
                client.is_server_live(),
                client.is_server_ready(),
                client.is_model_ready(MODEL),
                client.is_model_ready(MODEL, model["versions"][0]),
                client.is_model_ready("another"),
            ],
            "server": client.get_server_metadata()["name"],
            "model": model,
            "version": triton_infer(True)(PHOTOS["white"], version=model["versions"][0]),
            "another version": outcome(lambda: triton_infer(True)(PHOTOS["white"], version="1")),
        }


print(
    json.dumps(
        {
            "huggingface_hub": scenarios(hugging_face)
            | {
                "top_k": outcome(lambda: hugging_face(PHOTOS["white"], top_k=1)),
                "too many": outcome(lambda: hugging_face(PHOTOS["white"], top_k=9)),
            },
            "kserve v1": scenarios(kserve_v1),
            "kserve v2": scenarios(kserve_v2(binary=False)),
            "kserve v2, binary": scenarios(kserve_v2(binary=True)),
            "kserve states": outcome(kserve_states),
            "tritonclient": scenarios(triton_infer(binary=False)),
            "tritonclient, binary": scenarios(triton_infer(binary=True)),
            "tritonclient states": outcome(triton_states),
        }
    )
)
