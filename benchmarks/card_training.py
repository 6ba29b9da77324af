"""Parts of `benchmarks.card` that train: CPU against card, throughput, packed workers, a trial beyond the memory."""

import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace

import torch
from torch import Tensor, nn

from benchmarks.card_setting import Measure, Setting, spread
from nas.genome import Graph, Task, to_json
from nas.genome.baselines.densenet import cifar_densenet_bc
from nas.genome.baselines.resnet import cifar_resnet
from nas.genome.primitives import ConvUnit, GapHead
from nas.model import module
from nas.search.experiment_file import load_experiment
from nas.search.propose.proposer import Proposal, Proposer
from nas.search.space import load_space
from nas.search.trial import Reason
from nas.search.workers.job import Job
from nas.search.workers.processes import ProcessPool
from nas.search.workers.train_all import FailurePolicy, TrainedJob, train_all
from nas.training.batches import Batches
from nas.training.data import Source, load_data, task
from nas.training.device import safe_kernels
from nas.training.optim import initialize
from nas.training.recipe import recipe
from nas.training.train import Training, TrainingLoop

FAST = recipe("fast")
FLOAT32 = replace(FAST, epochs=1, batch=32, precision="float32")
LOGITS, STEP = 1e-3, 1e-2  # tolerances: float32 in another order of additions, before and after one update
GOAL = 3.0  # images per second of packed workers over those of one eager process
CPU_GB = 1.0  # the memory that a worker may use where there is no card
SETTLE_SECONDS = 10.0  # in which a worker gives memory back
Answers = tuple[Tensor, Tensor, Tensor]


def images_of(setting: Setting, images: int) -> Source:
    """Return the source of so many images for training."""
    return replace(setting.source, train_images=images)


def mixed_networks(source: Source, count: int) -> list[Proposal]:
    """Return networks of `mixed`, drawn at random within the budget of the experiment cifar10."""
    experiment = load_experiment("cifar10", {"sampler": "random"})
    proposer = Proposer(experiment, load_space("mixed"), task(source))
    found = [proposal for _ in range(count) if (proposal := proposer.ask())]
    assert len(found) == count
    return found


def agreement(setting: Setting) -> Iterator[Measure]:
    """CPU and card on the same weights and batch, in float32 without TF32: logits, the loss of a step, logits after."""
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
    source = images_of(setting, 256)
    drawn = [each.graph for each in mixed_networks(source, 8) if each.choices["head"] == "gap"]  # without dropout
    graphs = [cifar_resnet(task(source), 20), cifar_densenet_bc(task(source), 22, 12), *drawn[:2]]
    both = [[answers(graph, source, device) for device in ("cpu", setting.device)] for graph in graphs]
    logits, losses, updated = ([disagreement(a[i], b[i]) for a, b in both] for i in range(3))
    yield Measure(f"logits of {len(graphs)} networks, relative", max(logits), maximum=LOGITS)
    yield Measure("loss of a step, relative", max(losses), maximum=LOGITS)
    yield Measure("logits after the step, relative", max(updated), maximum=STEP)


def answers(graph: Graph, source: Source, device: str) -> Answers:
    """Return logits, the loss of one step of training, and the logits after it, all of one batch, on the CPU."""
    data, place = load_data(source), torch.device(device)
    torch.manual_seed(0)
    network = module(graph, training=True)
    initialize(network)
    network.to(place, memory_format=torch.channels_last)  # type: ignore[call-overload]
    batches = Batches(data.train, data, place, FLOAT32.crop_padding)
    images, labels = next(batches.epoch(FLOAT32, torch.Generator().manual_seed(0)))
    before = _logits(network, images)
    loop = TrainingLoop(network.train(), FLOAT32, place, 10 * FLOAT32.batch)
    with safe_kernels(network, place):
        loss = loop.step(images, labels)
    return before, loss.cpu(), _logits(network, images)


@torch.no_grad()
def _logits(network: nn.Module, images: Tensor) -> Tensor:
    logits: Tensor = network.eval()(images)
    return logits.cpu()


def disagreement(ours: Tensor, other: Tensor) -> float:
    """Return the largest difference as a share of the largest value."""
    return float((ours - other).abs().max() / ours.abs().max())


def resnet20(setting: Setting) -> Iterator[Measure]:
    """Images per second of training ResNet-20, augmentation included, evaluation not; the first epoch is a warm-up."""
    size, source = setting.size, images_of(setting, setting.size.images)
    network = module(cifar_resnet(task(source), 20), training=True)
    training = Training(network, load_data(source), replace(FAST, epochs=1 + size.epochs), 0, setting.device)
    scores = [training.epoch() for _ in range(1 + size.epochs)]
    yield from spread("one process", [score.images_per_second for score in scores[1:]], "images/s")
    if setting.has_card:
        yield Measure("memory at the peak", scores[-1].peak_bytes / 2**30, "GiB")


def mixed(setting: Setting) -> Iterator[Measure]:
    """Images per second over whole trials of networks of `mixed`: one process in turn, then packed workers."""
    size = setting.size
    source = images_of(setting, size.mixed_images)
    genomes = [to_json(each.graph) for each in mixed_networks(source, size.networks)]
    alone = pool_throughput(setting, source, genomes, 1)
    yield Measure(f"{size.networks} networks in turn, one process", alone, "images/s")
    rates = []
    for workers in size.workers:
        rates.append(pool_throughput(setting, source, genomes * size.passes, workers))
        yield Measure(f"the same, {workers} packed workers", rates[-1], "images/s")
    minimum = GOAL if setting.has_card and not setting.small else None
    yield Measure("packed over one process, best", max(rates) / alone, minimum=minimum)


def pool_throughput(setting: Setting, source: Source, genomes: Sequence[str], workers: int) -> float:
    """Return images per second of one epoch of each network, after a training by every worker that is not counted."""
    jobs = [new_job(setting, source, genome, number) for number, genome in enumerate(genomes)]
    with closing(ProcessPool(workers, 1 / workers)) as pool:
        check_trained(train_all(pool, [replace(jobs[0], number=-1 - each) for each in range(workers)], policy(setting)))
        start = time.perf_counter()
        check_trained(train_all(pool, jobs, policy(setting)))
        return len(jobs) * len(load_data(source).train.labels) / (time.perf_counter() - start)


def new_job(setting: Setting, source: Source, genome: str, number: int) -> Job:
    """Return a job of one epoch."""
    weights = str(setting.out / f"{number}.safetensors")
    return Job(number, genome, source, replace(FAST, epochs=1), number % 2**31, weights, device=setting.device)


def policy(setting: Setting) -> FailurePolicy:
    """Return what a failed training means: nothing before all have ended."""
    return FailurePolicy(setting.out, enough=2**31)


def check_trained(ended: Iterator[TrainedJob]) -> None:
    """Raise RuntimeError for the first training that failed."""
    for each in ended:
        if each.outcome.reason:
            raise RuntimeError(f"training {each.job.number} failed ({each.outcome.reason}): {each.outcome.detail}")


def memory(setting: Setting) -> Iterator[Measure]:
    """A trial that needs twice the card's memory ends as out of memory, and gives the memory back.

    Without a card, the memory is a limit of the worker process.
    """
    source = images_of(setting, min(2048, setting.size.images))
    images = min(2048, setting.size.images)
    total = torch.cuda.get_device_properties(0).total_memory if setting.has_card else int(CPU_GB * 2**30)
    limit = None if setting.has_card else CPU_GB
    good = new_job(setting, source, to_json(mixed_networks(source, 1)[0].graph), 0)
    large = new_job(setting, source, to_json(too_large(task(source), images, total)), 1)
    large = replace(large, memory_gb=limit, recipe=replace(large.recipe, batch=images))
    with closing(ProcessPool(1)) as pool:
        check_trained(train_all(pool, [good], policy(setting)))
        before = used_bytes(setting)
        (ended,) = train_all(pool, [large], policy(setting))
        if ended.outcome.reason is not Reason.OUT_OF_MEMORY:
            raise RuntimeError(f"the large trial ended as {ended.outcome.reason or 'complete'}: {ended.outcome.detail}")
        yield Measure("trials that ended as out of memory", 1)
        if setting.has_card:
            yield Measure("memory still held by its worker", lowest_used(setting, before) / total, maximum=0.02)
        check_trained(train_all(pool, [replace(good, number=2)], policy(setting)))
        yield Measure("trials trained by the same worker after", 1)


def too_large(task: Task, images: int, memory: int) -> Graph:
    """Return a network whose activations of so many images take twice the memory in bfloat16, a little per layer.

    No tensor has more than 2**30 numbers, since kernels count them in 32 bits.
    """
    numbers = min(2**30, memory // 128)
    width = max(1, numbers // (images * task.input[1] * task.input[2]))
    x = task.image()
    for _ in range(memory // (2 * numbers)):  # each keeps at least two tensors of two bytes
        x = ConvUnit(width, 1)(x)
    return Graph.of(GapHead(task.classes)(x))


def used_bytes(setting: Setting) -> int:
    """Return the memory of the card that all processes hold; 0 without a card."""
    if not setting.has_card:
        return 0
    free, total = torch.cuda.mem_get_info()
    return total - free


def lowest_used(setting: Setting, before: int) -> int:
    """Return the least memory held beyond `before`, in bytes, until none is or SETTLE_SECONDS are over."""
    lowest, end = used_bytes(setting) - before, time.monotonic() + SETTLE_SECONDS
    while lowest > 0 and time.monotonic() < end:
        time.sleep(0.2)
        lowest = min(lowest, used_bytes(setting) - before)
    return lowest
