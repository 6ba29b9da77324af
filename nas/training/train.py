"""The trainer: takes a network, data and a recipe, and gives a Score after each epoch. The caller may stop anytime.

The same code runs on a CPU core and on a GPU. No step reads a value back from the device: the host queues work, and
waits once per epoch, for the losses.
"""

import math
import time
from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from nas.errors import TrainingError
from nas.model.module import outputs
from nas.training.batches import Batches
from nas.training.data import Data
from nas.training.device import peak_bytes, reset_peak_bytes, safe_kernels, step_dtype
from nas.training.evaluation import evaluate
from nas.training.metrics import MAX_MISCLASSIFIED_IMAGES, confusion_rows, misclassified_text
from nas.training.optim import WeightAverage, initialize, learning_rate, make_optimizer
from nas.training.recipe import Recipe
from nas.training.score import Score
from nas.training.trainer import run_trainer

GROWN = 0.7  # share of the epochs after which images are whole
SIDE_STEP = 4  # pixels: sides that a network halves twice without a rest


class Training:
    """The training of one network by a recipe, an epoch at a time: the trainer of the toolkit.

    The network is initialized from the seed and trained in place. `device` is "cpu" or "cuda". The same seed gives the
    same scores on one CPU with one thread count, also when a fresh object goes on from the state of another. teacher: a
    network whose answers are learned too, trained and with its weights; it is not changed.
    """

    def __init__(
        self, network: nn.Module, data: Data, recipe: Recipe, seed: int, device: str = "cpu",
        teacher: nn.Module | None = None,
    ) -> None:  # fmt: skip
        self.network, self.recipe, self.seed, self.device = network, recipe, seed, torch.device(device)
        self.epochs, self._start = 0, time.perf_counter()
        reset_peak_bytes(self.device)
        torch.manual_seed(seed)
        initialize(network)  # before the move: the same weights on every device
        network.to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.batches = Batches(data.train, data, self.device, recipe.crop_padding)
        self.validation = Batches(data.validation, data, self.device)
        weights = balanced_weights(self.batches) if recipe.class_weights == "balanced" else None
        if teacher is not None:
            teacher.to(self.device, memory_format=torch.channels_last).eval()  # type: ignore[call-overload]
        self.loop = TrainingLoop(network, recipe, self.device, len(self.batches), weights, teacher)
        self.generator = torch.Generator().manual_seed(seed)
        self.smaller = bool(recipe.first_side) and self._reads_smaller()

    def _reads_smaller(self) -> bool:
        """Return whether the network reads images of the recipe's first side, as those with average pooling do."""
        size = epoch_size(self.recipe, 1, self.batches.height, self.batches.width)
        images = torch.zeros(2, self.batches.pixels.shape[1], *size, device=self.device)
        self.network.eval()
        try:
            with torch.no_grad():
                self.network(images)
        except (RuntimeError, ValueError):
            return False
        return True

    def _images(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield the batches of this epoch, at its size, mirrored in every other epoch where the recipe says so."""
        batches, mirrored = self.batches, None
        if self.recipe.flip == "alternate":
            first = torch.randint(2, (len(batches),), generator=torch.Generator().manual_seed(self.seed))
            mirrored = (first + self.epochs) % 2
        size = (batches.height, batches.width)
        if self.smaller:
            size = epoch_size(self.recipe, self.epochs, *size)
        for images, labels in batches.epoch(self.recipe, self.generator, mirrored):
            yield resized(images, size), labels

    def epoch(self) -> Score:
        """Train for one epoch and return its score; the network then holds the weights that were scored.

        Raises StopIteration after the last epoch of the recipe.
        """
        if self.epochs == self.recipe.epochs:
            raise StopIteration
        self.epochs += 1
        torch.manual_seed(self.seed + self.epochs)  # for dropout; the caller may draw numbers between epochs
        start = time.perf_counter()
        with safe_kernels(self.network, self.device):
            train_loss = self.loop.run_epoch(self._images())
        images_per_second = len(self.batches) / (time.perf_counter() - start)
        found = evaluate(self.network, self.validation)
        seconds = time.perf_counter() - self._start
        return Score(
            self.epochs, found.error, found.loss, seconds, train_loss, images_per_second, peak_bytes(self.device),
            found.balanced_error, found.top5_error, confusion_rows(found.confusion),
            misclassified_text(found.misclassified) if found.images <= MAX_MISCLASSIFIED_IMAGES else "",
        )  # fmt: skip

    def state(self) -> dict[str, Any]:
        """Return all that `load` needs to go on from here: tensors and plain numbers, for torch.save."""
        return {
            "epochs": self.epochs,
            "seed": self.seed,
            "seconds": time.perf_counter() - self._start,
            "generator": self.generator.get_state(),
            "network": {name: tensor.clone() for name, tensor in self.network.state_dict().items()},
            "loop": self.loop.state(),
        }

    def load(self, state: Mapping[str, Any]) -> None:
        """Go on from the state of a training of the same network.

        Another recipe holds from the next epoch on, if it has the same optimizer. Raises TrainingError for the state
        of another network or optimizer.
        """
        try:
            self.network.load_state_dict(state["network"])
            self.loop.load(state["loop"])
            self.generator.set_state(state["generator"].cpu())
            self.epochs, self.seed = int(state["epochs"]), int(state["seed"])
            self._start = time.perf_counter() - float(state["seconds"])
        except (AttributeError, KeyError, RuntimeError, TypeError, ValueError) as problem:
            said = " ".join(str(problem).split())
            raise TrainingError(f"the state is not of a training of this network: {said:.200}") from problem


def train(network: nn.Module, data: Data, recipe: Recipe, seed: int, device: str = "cpu") -> Iterator[Score]:
    """Train in place as `Training` does and yield a Score after each epoch.

    After a score whose loss is not a number or beyond MAX_LOSS, training ends.
    """
    yield from run_trainer(Training(network, data, recipe, seed, device), recipe.epochs)


def epoch_size(recipe: Recipe, epoch: int, height: int, width: int) -> tuple[int, int]:
    """Return the height and width of the images in an epoch, which counts from 1.

    Their shorter side grows from the recipe's first to the whole, in steps of SIDE_STEP pixels, and is whole from the
    share GROWN of the epochs on: the network and the statistics of its norms end with whole images.
    """
    whole = min(height, width)
    first = min(recipe.first_side or whole, whole)
    share = min(1.0, (epoch - 1) / (GROWN * recipe.epochs))
    side = whole if share == 1 else first + int((whole - first) * share / SIDE_STEP) * SIDE_STEP
    return round(height * side / whole), round(width * side / whole)


def resized(images: Tensor, size: tuple[int, int]) -> Tensor:
    """Return images (n, channels, height, width) at a smaller size, averaged over the pixels that fall together."""
    if images.shape[2:] == size:
        return images
    return F.interpolate(images, size, mode="bilinear", align_corners=False, antialias=True)


def balanced_weights(batches: Batches) -> Tensor:
    """Return a weight per class, (classes,): in inverse proportion to its images, with a mean of 1 over the images."""
    counts = torch.bincount(batches.labels.cpu(), minlength=batches.classes).clamp(min=1)
    return (len(batches) / (batches.classes * counts)).to(batches.labels.device)


def distillation_loss(logits: Tensor, answers: Tensor, temperature: float) -> Tensor:
    """Return the mean divergence of softened answers from the teacher's, in nats, times the temperature squared.

    logits, answers: (batch, classes). Hinton, Vinyals and Dean 2015, section 2: the factor keeps the size of gradients.
    """
    own, taught = F.log_softmax(logits / temperature, 1), F.log_softmax(answers / temperature, 1)
    return temperature**2 * F.kl_div(own, taught, reduction="batchmean", log_target=True)


class TrainingLoop:
    """The state of training: the network, the optimizer, the steps taken of all, and the running mean of weights.

    images: for training. weights: of the classes in the loss, (classes,), or None. teacher: in its evaluation form.
    """

    def __init__(
        self, network: nn.Module, recipe: Recipe, device: torch.device, images: int, weights: Tensor | None = None,
        teacher: nn.Module | None = None,
    ) -> None:  # fmt: skip
        self.network, self.recipe, self.weights, self.teacher = network, recipe, weights, teacher
        self.forward: nn.Module = torch.compile(network) if recipe.compile else network  # type: ignore[assignment]
        self.optimizer = make_optimizer(network, recipe)
        self.average = WeightAverage(network, recipe.ema_decay) if recipe.ema_decay else None
        self.steps, self.total_steps = 0, recipe.epochs * math.ceil(images / recipe.batch)
        dtype = step_dtype(recipe, device)
        self.autocast = torch.autocast(device.type, dtype, enabled=dtype != torch.float32)

    def run_epoch(self, batches: Iterator[tuple[Tensor, Tensor]]) -> float:
        """Take a step per batch and return the mean loss. The network then holds the mean of weights, if there is one.

        The two are exchanged back when the next epoch starts.
        """
        if self.average and self.steps:
            self.average.swap()
        self.network.train()
        losses = [self.step(images, labels) for images, labels in batches]
        if self.average:
            self.average.swap()
        return float(torch.stack(losses).mean())  # the one wait for the device

    def step(self, images: Tensor, labels: Tensor) -> Tensor:
        """Take one step on one batch and return the classifier's loss, still on the device."""
        self.steps += 1
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate(self.recipe, self.steps / self.total_steps)
        classifier_loss, total = self.losses(images, labels)
        self.optimizer.zero_grad(set_to_none=True)
        total.backward()  # type: ignore[no-untyped-call]
        if self.recipe.grad_clip:
            nn.utils.clip_grad_norm_(self.network.parameters(), self.recipe.grad_clip)
        self.optimizer.step()
        if self.average:
            self.average.update()
        return classifier_loss.detach()

    def losses(self, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Return the classifier's loss, and its sum with the weighted losses of the auxiliary heads.

        With a teacher, the classifier's loss is in part the distance to the teacher's answers.
        """
        with self.autocast:
            heads = outputs(self.forward, images)
        smoothing, weights = self.recipe.label_smoothing, self.weights
        main, *auxiliary = (F.cross_entropy(head.float(), labels, weights, label_smoothing=smoothing) for head in heads)
        if self.teacher is not None:
            with torch.no_grad(), self.autocast:
                answers = self.teacher(images)
            distance = distillation_loss(heads[0].float(), answers.float(), self.recipe.distill_temperature)
            main = torch.lerp(main, distance, self.recipe.distill_weight)
        return main, main + self.recipe.auxiliary * sum(auxiliary, torch.zeros_like(main))

    def state(self) -> dict[str, Any]:
        """Return optimizer, steps and running mean as tensors and plain numbers."""
        return {
            "steps": self.steps,
            "optimizer": type(self.optimizer).__name__,
            "moments": deepcopy(self.optimizer.state_dict()["state"]),
            "average": self.average.state() if self.average else None,
        }

    def load(self, state: Mapping[str, Any]) -> None:
        """Go on from a state. Raises KeyError, RuntimeError, TypeError or ValueError for one that does not fit."""
        kind = type(self.optimizer).__name__
        if state["optimizer"] != kind or (state["average"] is None) != (self.average is None):
            raise ValueError(f"optimizer (={kind!r}) and whether there is an ema_decay must be as in the state")
        groups = self.optimizer.state_dict()["param_groups"]  # the recipe's own
        self.optimizer.load_state_dict({"state": state["moments"], "param_groups": groups})
        self.steps = int(state["steps"])
        if self.average:
            self.average.load(state["average"])
