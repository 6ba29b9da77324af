"""The documented building blocks, one file a family. Importing this package registers every op."""

from nas.genome.layers import Add, AvgPool, Concat, Conv, Dropout, Flatten, GlobalPool, Linear, MaxPool, Norm, Relu
from nas.genome.primitives.dense import DenseBlock, DenseLayer, Transition
from nas.genome.primitives.heads import FcHead, GapHead
from nas.genome.primitives.residual import BasicBlock, Bottleneck
from nas.genome.primitives.stacks import ConvStack, ConvUnit
from nas.genome.primitives.stems import ImageNetStem, Stem

__all__ = [
    "Add", "AvgPool", "BasicBlock", "Bottleneck", "Concat", "Conv", "ConvStack", "ConvUnit", "DenseBlock",
    "DenseLayer", "Dropout", "FcHead", "Flatten", "GapHead", "GlobalPool", "ImageNetStem", "Linear", "MaxPool",
    "Norm", "Relu", "Stem", "Transition",
]  # fmt: skip
