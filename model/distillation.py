"""Teaching the default network: what a larger one says of the same views is the lesson, the true class a part of it."""

from dataclasses import dataclass

import keras
import numpy as np
from keras import ops
from sklearn.metrics import roc_auc_score

from appearance import change
from dataset import Split
from lite_network import IMAGENET, SCORE, build, logits, train_from
from photo import to_input


@dataclass(frozen=True)
class Lessons:
    """The views to learn from, and what the teacher says of each."""

    pixels: np.ndarray
    """(N, size, size, 3) uint8"""
    share: np.ndarray
    """(N,): how often a view comes, relative to the others; sums to 1."""
    score: np.ndarray
    """(N,) float32: the P(positive) to be learnt."""
    imagenet: np.ndarray
    """(N, 1000) float16: the teacher's probabilities of ImageNet's classes."""


@dataclass(frozen=True)
class Plan:
    """How the network is taught; ``model/husky.toml`` holds the values."""

    seed: int
    epochs: int
    steps: int
    batch_size: int
    learning_rate: float
    weight_decay: float
    averaging: float
    train_from_block: int
    imagenet_weight: float


class Batches(keras.utils.PyDataset):
    """Batches of views as they might also have looked; what batch i of an epoch holds depends on the seed only."""

    def __init__(self, lessons: Lessons, plan: Plan) -> None:
        super().__init__(workers=2, use_multiprocessing=False, max_queue_size=8)
        self._lessons = lessons
        self._plan = plan
        self._epoch = 0

    def __len__(self) -> int:
        return self._plan.steps

    def on_epoch_end(self) -> None:
        """Go on to views not drawn yet."""
        self._epoch += 1

    def __getitem__(self, index: int) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Return batch ``index``: (B, size, size, 3) float32 in [0, 1], and the targets of both outputs."""
        random = np.random.default_rng([self._plan.seed, self._epoch, index])
        lessons = self._lessons
        chosen = random.choice(len(lessons.share), self._plan.batch_size, p=lessons.share)
        views = to_input(np.stack([change(lessons.pixels[place], random) for place in chosen]))
        targets = {SCORE: lessons.score[chosen, None], IMAGENET: lessons.imagenet[chosen].astype(np.float32)}
        return views, targets


def teach(
    lessons: Lessons, validation: Split, plan: Plan, *, verbose: int = 0, model: keras.Model | None = None
) -> tuple[keras.Model, dict[str, list[float]]]:
    """Return the taught network (two outputs, logits) with its averaged weights, and the history of its training.

    It starts as ``model`` where one is given, else with ImageNet's weights.

    ``validation`` is only watched: nothing is chosen by it, and the last epoch's weights are the ones returned.
    """
    keras.utils.set_random_seed(plan.seed)
    model = model or build(lessons.pixels.shape[1], plan.seed)
    train_from(model, plan.train_from_block)
    total = plan.epochs * plan.steps
    rate = keras.optimizers.schedules.CosineDecay(
        0.0, total, alpha=0.0, warmup_target=plan.learning_rate, warmup_steps=total // 20
    )
    model.compile(
        optimizer=keras.optimizers.AdamW(
            rate, weight_decay=plan.weight_decay, use_ema=True, ema_momentum=plan.averaging, clipnorm=1.0
        ),
        loss={SCORE: keras.losses.BinaryCrossentropy(from_logits=True), IMAGENET: divergence},
        loss_weights={SCORE: 1.0, IMAGENET: plan.imagenet_weight},
    )
    watch = _Watch(validation)
    averaged = keras.callbacks.SwapEMAWeights(swap_on_epoch=True)
    batches = Batches(lessons, plan)
    result = model.fit(batches, epochs=plan.epochs, verbose=verbose, callbacks=[averaged, watch])
    history = {name: [round(float(value), 6) for value in values] for name, values in result.history.items()}
    return model, {**history, "val_auc": [round(value, 6) for value in watch.auc]}


def divergence(probabilities: keras.KerasTensor, logits: keras.KerasTensor) -> keras.KerasTensor:
    """Return how far ``logits`` are from the teacher's ``probabilities``: (N,) cross-entropy in nats."""
    return -ops.sum(probabilities * ops.log_softmax(logits), axis=-1)


class _Watch(keras.callbacks.Callback):
    """Notes the AUC on the validation photos after each epoch."""

    def __init__(self, validation: Split) -> None:
        super().__init__()
        self._validation = validation
        self.auc: list[float] = []

    def on_epoch_end(self, epoch: int, _logs: dict[str, float] | None = None) -> None:
        found = logits(self.model, self._validation.pixels)
        self.auc.append(float(roc_auc_score(self._validation.labels, found)))
        print(f"epoch {epoch + 1}: validation AUC {self.auc[-1]:.4f}", flush=True)
