"""The part of `benchmarks.card` that captures a whole training step as a CUDA graph, beside the step of the trainer."""

import time
from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn

from benchmarks.card_setting import Measure, Setting, Skipped, spread
from benchmarks.card_training import FAST, images_of, mixed_networks
from nas.genome import Graph
from nas.genome.baselines.resnet import cifar_resnet
from nas.model import module
from nas.training.batches import Batches
from nas.training.data import Source, load_data, task
from nas.training.optim import initialize, learning_rate
from nas.training.train import TrainingLoop

WARM_UP = 3  # steps before the capture, so that all that is allocated once is there
SAME_LOSS = 0.2  # nats between two trainings of one batch in bfloat16 that are the same up to rounding
Batch = tuple[Tensor, Tensor]


class StaticStep:
    """A step of a training loop without a value from the host, so that it can be captured.

    The learning rate is a tensor on the device, and the optimizer is fused, which reads it there.
    """

    def __init__(self, loop: TrainingLoop, batch: Batch) -> None:
        self.loop, self.images, self.labels = loop, batch[0].clone(), batch[1].clone()
        self.rate = torch.zeros((), device=self.images.device)
        for group in loop.optimizer.param_groups:
            group.update(lr=self.rate, fused=True)

    def compute(self) -> Tensor:
        """Take the step on the batch that is held here, and return its loss."""
        loop = self.loop
        loss, total = loop.losses(self.images, self.labels)
        loop.optimizer.zero_grad(set_to_none=True)
        total.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(loop.network.parameters(), loop.recipe.grad_clip)
        loop.optimizer.step()
        return loss.detach()

    def load(self, images: Tensor, labels: Tensor) -> None:
        """Put the next batch, and its learning rate, where the step reads them."""
        self.loop.steps += 1
        self.images.copy_(images)
        self.labels.copy_(labels)
        self.rate.fill_(learning_rate(self.loop.recipe, self.loop.steps / self.loop.total_steps))

    def capture(self) -> Callable[[Tensor, Tensor], Tensor]:
        """Return the step as one replay of a CUDA graph; the steps of the warm-up have a learning rate of 0."""
        side = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(WARM_UP):
                self.compute()
        torch.cuda.current_stream().wait_stream(side)
        for state in self.loop.optimizer.state.values():
            state["momentum_buffer"].zero_()  # as before the first step
        self.loop.optimizer.zero_grad(set_to_none=True)  # the gradients belong into the memory of the graph
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            loss = self.compute()

        def step(images: Tensor, labels: Tensor) -> Tensor:
            self.load(images, labels)
            graph.replay()
            return loss

        return step


def new_loop(graph: Graph, source: Source, device: str) -> tuple[TrainingLoop, Batch]:
    """Return the training loop of a fresh network, and a batch."""
    data, place = load_data(source), torch.device(device)
    torch.manual_seed(0)
    network = module(graph, training=True).train()
    initialize(network)
    network.to(place, memory_format=torch.channels_last)  # type: ignore[call-overload]
    batches = Batches(data.train, data, place, FAST.crop_padding)
    batch = next(batches.epoch(FAST, torch.Generator().manual_seed(0)))
    return TrainingLoop(network, FAST, place, 100 * FAST.batch), batch


def timed_steps(step: Callable[[Tensor, Tensor], Tensor], batch: Batch, steps: int) -> tuple[float, float]:
    """Return the seconds of a step on the card, after WARM_UP others, and the loss of one more."""
    for _ in range(WARM_UP):
        step(*batch)
    torch.cuda.synchronize()
    start = time.perf_counter()
    for _ in range(steps):
        step(*batch)
    torch.cuda.synchronize()
    seconds = (time.perf_counter() - start) / steps
    return seconds, float(step(*batch))


def graphs(setting: Setting) -> Iterator[Measure]:
    """Steps of ResNet-20 and of networks of `mixed` as CUDA graphs, over the steps that the trainer takes."""
    if not setting.has_card:
        raise Skipped("CUDA graphs need a graphics card")
    source, steps = images_of(setting, 256), setting.size.steps
    drawn = [each.graph for each in mixed_networks(source, setting.size.networks)]
    ratios, captures = list[float](), list[float]()
    for graph in (cifar_resnet(task(source), 20), *drawn):
        loop, batch = new_loop(graph, source, setting.device)
        eager, eager_loss = timed_steps(loop.step, batch, steps)
        other, batch = new_loop(graph, source, setting.device)
        start = time.perf_counter()
        step = StaticStep(other, batch).capture()
        torch.cuda.synchronize()
        captures.append(time.perf_counter() - start)
        captured, captured_loss = timed_steps(step, batch, steps)
        ratios.append(eager / captured)
        if len(ratios) == 1:
            yield Measure("ResNet-20, eager step", FAST.batch / eager, "images/s")
            yield Measure("ResNet-20, captured step", FAST.batch / captured, "images/s")
            yield Measure("ResNet-20, losses differ", abs(eager_loss - captured_loss), "nats", maximum=SAME_LOSS)
    yield from spread("mixed, captured over eager", ratios[1:])
    yield from spread("warm-up and capture", [1000 * each for each in captures], "ms")
