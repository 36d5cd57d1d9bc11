"""Distillation: the default network learns what a larger one, the teacher, says of the same views, and the labels."""

from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
from keras import ops
from sklearn.metrics import roc_auc_score

from model.training.augmentation import Appearance
from model.training.dataset import Split
from model.training.lite_network import IMAGENET, SCORE, predict_logits, train_from
from model.training.training_state import History, restore_state, save_state


@dataclass(frozen=True)
class Lessons:
    """The views to learn from, and the targets of each."""

    pixels: np.ndarray
    """(N, size, size, 3) uint8"""
    share: np.ndarray
    """(N,): the probability of drawing the view; sums to 1."""
    score: np.ndarray
    """(N,) float32: the P(positive) to learn."""
    imagenet: np.ndarray
    """(N, 1000) float16: the probabilities of the ImageNet classes to learn; (0, 1000): to keep."""


@dataclass(frozen=True)
class Plan:
    """The settings of the training; ``model/husky.toml`` has the values."""

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
    """Batches of views; only the seed decides what batch i of an epoch contains."""

    epoch = 0
    """The current one, from 0."""

    def __init__(self, lessons: Lessons, plan: Plan) -> None:
        super().__init__(workers=1, use_multiprocessing=False, max_queue_size=8)
        self._lessons = lessons
        self._plan = plan

    def __len__(self) -> int:
        return self._plan.steps

    def __getitem__(self, index: int) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Return batch ``index``: (B, size, size, 3) uint8 views, and the targets of both outputs."""
        random = np.random.default_rng([self._plan.seed, self.epoch, index])
        lessons = self._lessons
        chosen = random.choice(len(lessons.share), self._plan.batch_size, p=lessons.share)
        targets = {SCORE: lessons.score[chosen, None], IMAGENET: lessons.imagenet[chosen].astype(np.float32)}
        return lessons.pixels[chosen], targets


def teach(
    model: keras.Model,
    lessons: Lessons,
    watched: Split,
    plan: Plan,
    state: Path,
    *,
    stop: bool = False,
    verbose: int = 0,
) -> History:
    """Train ``model`` on changed views of ``lessons``, leave it with averaged weights, and return the history.

    ``watched`` is only watched: it decides nothing, and the weights are those of the last epoch. The state after each
    epoch goes to the file ``state``; if it exists, the training continues from there or, with ``stop``, takes the
    averages in it as the result.
    """
    keras.utils.set_random_seed(plan.seed)
    train_from(model, plan.train_from_block)
    appearance = Appearance(plan.seed)
    views = keras.Input(model.input_shape[1:], dtype="uint8")
    learner = keras.Model(views, model(appearance(views)))
    total = plan.epochs * plan.steps
    rate = keras.optimizers.schedules.CosineDecay(
        0.0, total, alpha=0.0, warmup_target=plan.learning_rate, warmup_steps=total // 20
    )
    learner.compile(
        optimizer=keras.optimizers.AdamW(
            rate, weight_decay=plan.weight_decay, use_ema=True, ema_momentum=plan.averaging, clipnorm=1.0
        ),
        loss={SCORE: keras.losses.BinaryCrossentropy(from_logits=True), IMAGENET: divergence},
        loss_weights={SCORE: 1.0, IMAGENET: plan.imagenet_weight},
    )
    learner.optimizer.build(learner.trainable_variables)
    before: History = restore_state(state, model, learner.optimizer) if state.is_file() else {}
    done = len(before.get("loss", []))
    if stop:
        learner.optimizer.finalize_variable_values(learner.trainable_variables)
        return before
    batches = Batches(lessons, plan)
    watch = _Watch(model, appearance, batches, watched, state, before)
    averaged = keras.callbacks.SwapEMAWeights(swap_on_epoch=True)
    learner.fit(
        batches,
        initial_epoch=done,
        epochs=plan.epochs,
        shuffle=False,  # a resumed training would have another order
        verbose=verbose,
        callbacks=[averaged, watch],
    )
    return watch.history


def divergence(probabilities: keras.KerasTensor, logits: keras.KerasTensor) -> keras.KerasTensor:
    """Return the cross-entropy (N,) of ``logits`` against the teacher's ``probabilities``, in nats."""
    return -ops.sum(probabilities * ops.log_softmax(logits), axis=-1)


class _Watch(keras.callbacks.Callback):
    """Records losses and the AUC on the watched photos after each epoch, and saves the state before the next one.

    By then ``SwapEMAWeights``, which runs first, has put the weights in training back in the place of the averages.
    """

    def __init__(
        self,
        network: keras.Model,
        appearance: Appearance,
        batches: Batches,
        watched: Split,
        state: Path,
        history: History,
    ) -> None:
        super().__init__()
        self._appearance = appearance
        self._network = network
        self._batches = batches
        self._watched = watched
        self._state = state
        self.history = history

    def on_epoch_begin(self, epoch: int, _logs: dict[str, float] | None = None) -> None:
        self._batches.epoch = epoch
        self._appearance.begin_epoch(epoch)
        if epoch == len(self.history.get("loss", [])) > 0:
            save_state(self._state, self._network, self.model.optimizer, self.history)

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        found = predict_logits(self._network, self._watched.pixels)
        measured = {**(logs or {}), "val_auc": roc_auc_score(self._watched.labels, found)}
        for name, value in measured.items():
            self.history.setdefault(name, []).append(round(float(value), 6))
        print(f"epoch {epoch + 1}: validation AUC {measured['val_auc']:.4f}", flush=True)
