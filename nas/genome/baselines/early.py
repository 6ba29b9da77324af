"""LeNet-5, AlexNet, ZFNet, Network in Network."""

from nas.genome.activations import ScaledTanh
from nas.genome.graph import Graph, Value
from nas.genome.layers import AvgPool, Conv, Dropout, Flatten, Linear, MaxPool
from nas.genome.paper_layers import ChannelScale, CodeDistance, TableConv
from nas.genome.primitives.conv_pool import ConvPool
from nas.genome.primitives.heads import ConvHead, FcHead
from nas.genome.primitives.stacks import ConvStack, ConvUnit, MlpConv
from nas.genome.task import Task


def lenet5(task: Task) -> Graph:
    """LeNet-5 as it is usually built today: C3 fully connected to S2, average pooling, a linear output."""
    x = ConvPool(6, 5, padding=0, pool="mean", window=2, activation="tanh")(task.image())
    x = ConvPool(16, 5, padding=0, pool="mean", window=2, activation="tanh")(x)
    x = ConvUnit(120, 5, norm=False, padding=0, activation="tanh")(x)
    return Graph.of(FcHead(task.classes, (84,), dropout=0.0, activation="tanh")(x))


def lenet5_paper(task: Task) -> Graph:
    """As published: C3 connected by table 1, trainable subsampling, +-1 codes as targets."""

    def subsample(x: Value) -> Value:
        return ScaledTanh()(ChannelScale()(AvgPool(2, 2)(x)))

    x = ScaledTanh()(Conv(6, 5, padding=0, bias=True)(task.image()))
    x = ScaledTanh()(TableConv(5)(subsample(x)))
    x = ScaledTanh()(Conv(120, 5, padding=0, bias=True)(subsample(x)))
    x = ScaledTanh()(Linear(84)(Flatten()(x)))
    return Graph.of(CodeDistance(task.classes)(x))


def alexnet(task: Task, groups: int = 2) -> Graph:
    """Krizhevsky et al. 2012, section 3.5: conv2, conv4 and conv5 split over two GPUs."""
    x = ConvPool(96, 11, 4, padding=0, local_norm="before")(task.image())
    x = ConvPool(256, 5, groups=groups, local_norm="before")(x)
    x = ConvUnit(384, 3, norm=False)(x)
    x = ConvUnit(384, 3, norm=False, groups=groups)(x)
    x = ConvPool(256, 3, groups=groups)(x)
    return Graph.of(FcHead(task.classes)(x))


def alexnet_ungrouped(task: Task) -> Graph:
    """AlexNet without groups, as for one GPU."""
    return alexnet(task, groups=1)


def alexnet_one_tower(task: Task) -> Graph:
    """Krizhevsky 2014, "One weird trick", as released in torchvision."""
    x = ConvPool(64, 11, 4, padding=2)(task.image())
    x = ConvPool(192, 5)(x)
    x = ConvUnit(384, 3, norm=False)(x)
    x = ConvUnit(256, 3, norm=False)(x)
    x = ConvPool(256, 3)(x)
    return Graph.of(FcHead(task.classes, grid=6, dropout_first=True)(x))


def zfnet(task: Task) -> Graph:
    """Zeiler & Fergus 2013, fig. 3: AlexNet with a smaller, denser stem."""
    x = ConvPool(96, 7, 2, padding=1, ceil=True, local_norm="after")(task.image())
    x = ConvPool(256, 5, 2, padding=0, ceil=True, local_norm="after")(x)
    x = ConvStack(384, 2, norm=False)(x)
    x = ConvPool(256, 3)(x)
    return Graph.of(FcHead(task.classes)(x))


def nin_cifar(task: Task) -> Graph:
    """Lin et al. 2013, as in the authors' CIFAR-10 configuration."""
    x = MlpConv(192, (160, 96), 5)(task.image())
    x = MlpConv(192, (192, 192), 5)(Dropout(0.5)(MaxPool(3, 2, ceil=True)(x)))
    x = MlpConv(192, (192,), 3)(Dropout(0.5)(AvgPool(3, 2, ceil=True)(x)))
    return Graph.of(ConvHead(task.classes)(x))


def nin_imagenet(task: Task) -> Graph:
    """The ImageNet network of the Caffe model zoo."""
    x = MlpConv(96, (96, 96), 11, 4, padding=0)(task.image())
    x = MlpConv(256, (256, 256), 5)(MaxPool(3, 2, ceil=True)(x))
    x = MlpConv(384, (384, 384), 3)(MaxPool(3, 2, ceil=True)(x))
    x = MlpConv(1024, (1024,), 3)(Dropout(0.5)(MaxPool(3, 2, ceil=True)(x)))
    return Graph.of(ConvHead(task.classes)(x))


NETWORKS = {
    "lenet5_modern": lenet5,
    "lenet5_paper": lenet5_paper,
    "alexnet_original": alexnet,
    "alexnet_ungrouped": alexnet_ungrouped,
    "alexnet_torchvision": alexnet_one_tower,
    "zfnet": zfnet,
    "nin_cifar10": nin_cifar,
    "nin_imagenet": nin_imagenet,
}
